"""How this service speaks to a bucket: clients, and what their errors mean to an operator."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from voicegauge.errors import MachineError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from voicegauge.storage.location import BucketLocation

__all__ = ["COPYING", "PROBING", "USUAL", "Patience", "bucket_errors", "error_code", "open_client"]

CONNECT_TIMEOUT_S = 3
MAX_CONNECTIONS = 50

KEY_CODES = {
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
}
CLOCK_CODES = {"RequestTimeTooSkewed", "RequestExpired"}
REGION_CODES = {"301", "307", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException"}


@dataclass(frozen=True)
class Patience:
    """How long a server may be silent, and how often it is asked."""

    read_timeout_s: float
    attempts: int


USUAL = Patience(10.0, 3)
# A bucket answers a copy when it is done, and 5 GiB take a while.
COPYING = Patience(120.0, 2)
# Who asks whether all is well wants to know at once, and asks again.
PROBING = Patience(3.0, 1)

_opening = threading.Lock()


def open_client(location: BucketLocation, patience: Patience = USUAL, *, public: bool = False) -> S3Client:
    """Return this process's client of a bucket's server; it is made once and safe for threads.

    Parameters
    ----------
    location : BucketLocation
    patience : Patience
    public : bool
        For signing: at the address where clients reach the bucket.
    """
    endpoint = location.public_endpoint if public and location.public_endpoint else location.endpoint
    # boto3's sessions are not safe for threads, its clients are.
    with _opening:
        return _client(endpoint, location.region, location.addressing_of(endpoint), patience)


@cache
def _client(
    endpoint: str | None, region: str | None, addressing: Literal["path", "virtual"], patience: Patience
) -> S3Client:
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=patience.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=MAX_CONNECTIONS,
        # The checksums of newer versions would be signed into upload URLs, and not every server knows them.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=config)


def error_code(error: ClientError) -> str:
    """Return the code of a refusal: S3's word, or the HTTP status where the answer has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def bucket_errors(location: BucketLocation, doing: str) -> Iterator[None]:
    """Turn what boto3 raises into a MachineError that says what, where, and what to do."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise MachineError(
            f"cannot {doing} the {location}: there is no access key; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except ClientError as error:
        raise MachineError(f"cannot {doing} the {location}: {_meaning(error)}") from error
    except BotoCoreError as error:
        raise MachineError(
            f"cannot {doing} the {location}: {error}; check the address, the network, and that the server runs"
        ) from error


def _meaning(error: ClientError) -> str:
    code = error_code(error)
    words = f"it answers {code} ({error.response.get('Error', {}).get('Message', 'no message')})"
    if code in ("NoSuchBucket", "404"):
        return "there is no such bucket; create it, or correct --objects"
    if code in KEY_CODES:
        return f"{words}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the region"
    if code in ("AccessDenied", "403"):
        return f"{words}; the access key must be allowed to get, put and delete objects and to list this bucket"
    if code in CLOCK_CODES:
        return f"{words}; set this machine's clock"
    if code in REGION_CODES:
        return f"{words}; check region= and endpoint="
    return f"{words}; if it lasts, ask who runs it"
