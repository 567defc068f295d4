"""The vectors were made with esdk-obs-python 3.26.6, `createSignedUrl`, AK OBSAKTEST, at Unix time 1763514123."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from voicegauge.storage.obs_signature import sign, signature_matches, signed_url, string_to_sign

SECRET_KEY = "OBSSKTEST"
BUCKET = "voicegauge-uploads"
ZIP = {"content-type": "application/zip"}
JOB_KEY = "p123/0f8fad5b-d9cb-469f-a165-70867728950e.zip"

VECTORS = [
    pytest.param(JOB_KEY, ZIP, "", 1763517723, "xG5zUlNsSHpIqxfGTzuF+sjNfdo=", id="zip"),
    pytest.param("p123/a.zip", {}, "", 1763514183, "rMeQgBGZ6SBWnrPRwSyS9xv6IwI=", id="no content type"),
    pytest.param(
        "p123/a.zip", ZIP, "kAFQmDzST7DWlj99KOF/cg==", 1763514183, "hp9tNMMcD/BXLJXVbR6djFHvExI=", id="content md5"
    ),
    pytest.param(
        "p123/a b~+c.zip",
        {**ZIP, "x-obs-meta-who": "tester", "x-obs-acl": "private"},
        "",
        1763514183,
        "ALO7RacRte1z0VpPnHT5NmLCjIc=",
        id="obs headers and a key to encode",
    ),
]


@pytest.mark.parametrize(("key", "headers", "content_md5", "expires_s", "signature"), VECTORS)
def test_the_vendor_s_sdk_signs_the_same(
    key: str, headers: dict[str, str], content_md5: str, expires_s: int, signature: str
) -> None:
    text = string_to_sign("PUT", bucket=BUCKET, key=key, expires_s=expires_s, headers=headers, content_md5=content_md5)
    assert sign(text, SECRET_KEY) == signature
    assert signature_matches(text, SECRET_KEY, signature)
    assert not signature_matches(text, SECRET_KEY, signature[:-2] + "A=")


def test_the_url_is_the_vendor_s() -> None:
    url = signed_url(
        "PUT",
        base_url="http://127.0.0.1:8600/",
        bucket=BUCKET,
        key=JOB_KEY,
        expires_s=1763517723,
        content_type="application/zip",
        access_key="OBSAKTEST",
        secret_key=SECRET_KEY,
    )
    parts = urlsplit(url)
    assert url.startswith(f"http://127.0.0.1:8600/{BUCKET}/{JOB_KEY}?")
    assert "Signature=xG5zUlNsSHpIqxfGTzuF%2BsjNfdo%3D" in parts.query
    assert parse_qs(parts.query) == {
        "AccessKeyId": ["OBSAKTEST"],
        "Expires": ["1763517723"],
        "Signature": ["xG5zUlNsSHpIqxfGTzuF+sjNfdo="],
    }
