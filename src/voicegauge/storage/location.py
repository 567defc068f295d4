"""Where uploads lie, as one line of text: nothing for the data folder, `s3://...` for a bucket."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from voicegauge.errors import MachineError, UsageError
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.objects import ObjectStore

__all__ = ["BucketLocation", "open_objects", "parse_location"]

FORM = "s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME&addressing=auto|path|virtual&public_endpoint=URL]"
Addressing = Literal["auto", "path", "virtual"]
OPTIONS = ("addressing", "endpoint", "public_endpoint", "region")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,3}")
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_REGION_OF_HOST = re.compile(r"(?:obs|s3)\.([a-z]+(?:-[a-z0-9]+)+)\.[a-z0-9.-]+")


@dataclass(frozen=True)
class BucketLocation:
    """A place in a bucket of S3, OBS, MinIO or the like. Holds no key.

    Attributes
    ----------
    bucket : str
    prefix : str
        Comes before every object key: empty, or ends with `/`.
    endpoint : str, optional
        The address that this service uses; AWS's own when not given.
    public_endpoint : str, optional
        The address in signed URLs, where clients reach the bucket at another one.
    region : str, optional
        What the chain of boto3 says when not given.
    addressing : {"auto", "path", "virtual"}
        `host/bucket/key` or `bucket.host/key`; auto decides by the endpoint.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str | None = None
    addressing: Addressing = "auto"

    def __str__(self) -> str:
        return f"bucket {self.bucket!r} at {self.endpoint or 'AWS S3'}"

    def addressing_of(self, endpoint: str | None) -> Literal["path", "virtual"]:
        """Tell how a bucket is named at an endpoint.

        One with a port, an IP address or a bare host name has no name for each bucket; OBS and AWS do.
        """
        if self.addressing != "auto":
            return self.addressing
        if endpoint is None:
            return "virtual"
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        return "path" if parts.port is not None or "." not in host or _is_ip(host) else "virtual"


def parse_location(text: str) -> BucketLocation | None:
    """Read `--objects`; None where it is empty, which stands for the data folder.

    Raises
    ------
    UsageError
        Names the part that is wrong; never repeats what may hold a key.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _wrong(f"it is no address ({error})") from error
    if parts.scheme != "s3":
        raise _wrong("it must begin with s3://, or be empty for the data folder")
    _refuse_keys(parts)
    if parts.fragment or "#" in text:
        raise _wrong("it has a '#'")
    if not _BUCKET.fullmatch(parts.netloc):
        raise _wrong(
            f"{parts.netloc!r} is no bucket name: 3 to 63 lower-case letters, digits, '-' and '.', and no port; the "
            "server's address goes into endpoint="
        )
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise _wrong(
            f"the prefix {prefix!r} is not allowed: 1 to 4 segments of letters, digits, '.', '_' and '-', each "
            "beginning with a letter or digit, '/' between them"
        )
    options = _options(parts.query)
    endpoint = _endpoint("endpoint", options)
    public_endpoint = _endpoint("public_endpoint", options)
    region = options.get("region") or _region_of(endpoint)
    if region is not None and not _REGION.fullmatch(region):
        raise _wrong(f"region={region} is no region's name")
    addressing = options.get("addressing", "auto")
    if addressing not in ("auto", "path", "virtual"):
        raise _wrong(f"addressing={addressing} must be auto, path or virtual")
    return BucketLocation(
        parts.netloc, prefix and f"{prefix}/", endpoint, public_endpoint, region, cast(Addressing, addressing)
    )


def open_objects(
    location: str,
    data: Path,
    *,
    max_object_bytes: int,
    now_s: Callable[[], float],
    cache_max_bytes: int | None = None,
) -> ObjectStore:
    """Open the store that `--objects` names. A bucket is not asked for anything yet: `check` does that.

    Parameters
    ----------
    location : str
        Empty for the data folder, else as :func:`parse_location` takes it.
    data : Path
        The data folder; with a bucket, its `cache` holds copies of what is being assessed.
    max_object_bytes : int
    now_s : callable
        The current Unix time in seconds.
    cache_max_bytes : int, optional
        What the cache may take of the disk; enough for 4 of the largest uploads when not given.

    Raises
    ------
    UsageError
        The location is wrong.
    MachineError
        The data folder cannot be written, or the extra `cluster` is not installed.
    """
    bucket = parse_location(location)
    if bucket is None:
        return DiskObjects(data, max_object_bytes=max_object_bytes, now_s=now_s)
    try:
        # Here, so that a service without a bucket needs no boto3.
        from voicegauge.storage.cache import FileCache
        from voicegauge.storage.s3 import BucketObjects
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
            raise
        raise MachineError('--objects s3://... needs an extra part: pip install "voicegauge[cluster]"') from error
    cache = FileCache(data / "cache", max_bytes=cache_max_bytes or 4 * max_object_bytes)
    return BucketObjects(bucket, max_object_bytes=max_object_bytes, cache=cache)


def _options(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError as error:
        raise _wrong("what follows '?' must be name=value, with '&' between") from error
    options = dict(pairs)
    for name, value in pairs:
        if name not in OPTIONS:
            raise _wrong(f"there is no option {name!r}, but {', '.join(OPTIONS)}; keys go into the environment")
        if not value:
            raise _wrong(f"the option {name} is empty")
    if len(options) < len(pairs):
        raise _wrong("an option is given twice")
    return options


def _endpoint(name: str, options: dict[str, str]) -> str | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        _refuse_keys(parts)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(f"{name} is no address ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _wrong(f"{name}={text} must begin with http:// or https:// and name a host")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong(f"{name}={text} must end after the host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _refuse_keys(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise _wrong("an address must hold no key; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")


def _region_of(endpoint: str | None) -> str | None:
    match = endpoint and _REGION_OF_HOST.fullmatch(urlsplit(endpoint).hostname or "")
    return match[1] if match else None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _wrong(what: str) -> UsageError:
    return UsageError(f"--objects: {what}; its form is {FORM}")
