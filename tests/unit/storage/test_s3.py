from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.wire.double import Clock
from voicegauge.errors import MachineError
from voicegauge.storage import s3_client
from voicegauge.storage.location import open_objects

OBS = "https://obs.cn-north-4.myhuaweicloud.com"
KEY = "p1/job.zip"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    s3_client._client.cache_clear()


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("s3://takes?region=eu-west-1", "https://takes.s3.eu-west-1.amazonaws.com/p1/job.zip"),
        (f"s3://takes/a?endpoint={OBS}", "https://takes.obs.cn-north-4.myhuaweicloud.com/a/p1/job.zip"),
        (f"s3://takes?endpoint={OBS}&addressing=path", f"{OBS}/takes/p1/job.zip"),
        ("s3://takes?endpoint=http://minio:9000&region=x", "http://minio:9000/takes/p1/job.zip"),
        (
            "s3://takes?endpoint=http://minio:9000&public_endpoint=https://up.example.com&region=x",
            "https://takes.up.example.com/p1/job.zip",
        ),
    ],
)
def test_a_link_leads_to_the_bucket(location: str, address: str, tmp_path: Path) -> None:
    store = open_objects(location, tmp_path, max_object_bytes=1, now_s=Clock())
    url = urlsplit(store.signed_put_url(KEY, expires_s=60, base_url="http://127.0.0.1:8600"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == address
    query = parse_qs(url.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-type;host"]
    assert query["X-Amz-Expires"] == ["60"]
    # Nothing that a client would have to send as a header of its own.
    assert set(query) == {
        f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    }


def test_the_region_of_an_obs_endpoint_is_signed(tmp_path: Path) -> None:
    store = open_objects(f"s3://takes?endpoint={OBS}", tmp_path, max_object_bytes=1, now_s=Clock())
    assert "%2Fcn-north-4%2Fs3%2Faws4_request" in store.signed_put_url(KEY, expires_s=60, base_url="")


def test_opening_a_bucket_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    open_objects("s3://takes", tmp_path, max_object_bytes=1, now_s=Clock())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("boto3", "boto3.session"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("s3", "s3_client", "s3_put"):
        monkeypatch.delitem(sys.modules, f"voicegauge.storage.{name}", raising=False)
    with pytest.raises(MachineError, match=r'pip install "voicegauge\[cluster\]"'):
        open_objects("s3://takes", tmp_path, max_object_bytes=1, now_s=Clock())
