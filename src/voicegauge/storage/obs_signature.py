"""The temporary signed URL of OBS: who has it may do one request until it expires. Pure.

Checked against the vendor's own OBS SDK; see tests/unit/storage/test_obs_signature.py.

References
----------
.. [1] Huawei Cloud, "Authentication of Signature in a URL", OBS API reference,
   https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0011.html
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

__all__ = ["sign", "signature_matches", "signed_url", "string_to_sign"]

OBS_HEADER_PREFIX = "x-obs-"


def string_to_sign(
    method: str, *, bucket: str, key: str, expires_s: int, headers: Mapping[str, str], content_md5: str = ""
) -> str:
    """Build the text that is signed; header names in lower case, `expires_s` in Unix seconds.

    The Host is not part of it, so the same URL works through any address.
    """
    obs_lines = "".join(
        f"{name}:{value.strip()}\n" for name, value in sorted(headers.items()) if name.startswith(OBS_HEADER_PREFIX)
    )
    content_type = headers.get("content-type", "")
    return f"{method}\n{content_md5}\n{content_type}\n{expires_s}\n{obs_lines}/{bucket}/{quote(key, safe='/~')}"


def sign(text: str, secret_key: str) -> str:
    """Sign a text: base64 of its HMAC-SHA1."""
    return base64.b64encode(hmac.new(secret_key.encode(), text.encode(), "sha1").digest()).decode()


def signature_matches(text: str, secret_key: str, signature: str) -> bool:
    """Compare in a time that does not depend on where the first difference is."""
    return hmac.compare_digest(sign(text, secret_key).encode(), signature.encode())


def signed_url(
    method: str,
    *,
    base_url: str,
    bucket: str,
    key: str,
    expires_s: int,
    content_type: str,
    access_key: str,
    secret_key: str,
) -> str:
    """Make a URL that allows one method on one object until `expires_s`, Unix seconds."""
    text = string_to_sign(method, bucket=bucket, key=key, expires_s=expires_s, headers={"content-type": content_type})
    query = urlencode({"AccessKeyId": access_key, "Expires": expires_s, "Signature": sign(text, secret_key)})
    return f"{base_url.rstrip('/')}/{bucket}/{quote(key, safe='/~')}?{query}"
