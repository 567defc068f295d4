from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.double import Clock
from voicegauge.errors import UsageError
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.location import BucketLocation, open_objects, parse_location

OBS = "https://obs.cn-north-4.myhuaweicloud.com"
MINIO = "http://minio:9000"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("s3://takes", BucketLocation("takes")),
        ("s3://takes/", BucketLocation("takes")),
        ("s3://takes/a/b-1", BucketLocation("takes", "a/b-1/")),
        ("s3://takes/a/", BucketLocation("takes", "a/")),
        ("s3://takes?region=eu-west-1", BucketLocation("takes", region="eu-west-1")),
        (f"s3://takes?endpoint={OBS}", BucketLocation("takes", endpoint=OBS, region="cn-north-4")),
        (f"s3://takes?endpoint={OBS}&region=x", BucketLocation("takes", endpoint=OBS, region="x")),
        (
            "s3://takes?endpoint=https://s3.eu-west-1.amazonaws.com/",
            BucketLocation("takes", endpoint="https://s3.eu-west-1.amazonaws.com", region="eu-west-1"),
        ),
        (
            "s3://takes?endpoint=https%3A%2F%2Fs3.example.com",
            BucketLocation("takes", endpoint="https://s3.example.com"),
        ),
        (
            f"s3://takes/a?endpoint={MINIO}&public_endpoint=http://localhost:9000&addressing=path",
            BucketLocation("takes", "a/", MINIO, "http://localhost:9000", addressing="path"),
        ),
    ],
)
def test_a_bucket_is_read_from_its_location(text: str, location: BucketLocation) -> None:
    assert parse_location(text) == location


def test_no_location_is_the_data_folder(tmp_path: Path) -> None:
    assert parse_location("") is None
    assert isinstance(open_objects("", tmp_path, max_object_bytes=1, now_s=Clock()), DiskObjects)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("takes", "must begin with s3://"),
        ("/var/takes", "must begin with s3://"),
        ("https://takes.s3.amazonaws.com", "must begin with s3://"),
        ("s3://", "'' is no bucket name"),
        ("s3://Takes", "'Takes' is no bucket name"),
        ("s3://minio:9000/takes", "'minio:9000' is no bucket name.*endpoint="),
        ("s3://[takes", "no address"),
        ("s3://takes#x", "'#'"),
        ("s3://takes/../up", "prefix '../up'"),
        ("s3://takes/a//b", "prefix 'a//b'"),
        ("s3://takes?endpoint", "name=value"),
        ("s3://takes?endpoint=", "endpoint is empty"),
        ("s3://takes?colour=red", "no option 'colour', but addressing, endpoint, public_endpoint, region"),
        ("s3://takes?region=a&region=b", "given twice"),
        ("s3://takes?region=EU", "region=EU"),
        ("s3://takes?addressing=dns", "addressing=dns must be auto, path or virtual"),
        ("s3://takes?endpoint=minio:9000", "endpoint=minio:9000 must begin with http"),
        ("s3://takes?endpoint=http://", "endpoint=http:// must .*name a host"),
        ("s3://takes?endpoint=http://minio:port", "endpoint is no address"),
        ("s3://takes?endpoint=http://minio/takes", "endpoint=.* must end after the host"),
        ("s3://takes?public_endpoint=ftp://minio", "public_endpoint=ftp://minio must begin"),
    ],
)
def test_the_bad_part_of_a_location_is_named(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"^--objects: .*{wrong}"):
        parse_location(text)


@pytest.mark.parametrize("text", ["s3://ID:hush@takes", "s3://takes?endpoint=http://ID:hush@minio", "s3://a@b:hush"])
def test_a_key_in_a_location_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY") as caught:
        parse_location(text)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "addressing"),
    [
        (None, "virtual"),
        (OBS, "virtual"),
        ("https://s3.eu-west-1.amazonaws.com", "virtual"),
        ("http://127.0.0.1", "path"),
        ("http://[::1]", "path"),
        ("http://localhost", "path"),
        ("http://minio", "path"),
        ("https://minio.example.com:9000", "path"),
    ],
)
def test_the_endpoint_decides_how_a_bucket_is_named(endpoint: str | None, addressing: str) -> None:
    assert BucketLocation("takes").addressing_of(endpoint) == addressing
    assert BucketLocation("takes", addressing="path").addressing_of(endpoint) == "path"
    assert BucketLocation("takes", addressing="virtual").addressing_of(endpoint) == "virtual"
