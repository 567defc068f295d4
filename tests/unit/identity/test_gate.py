from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wire.double import NOW_S, Clock, open_identity_database, signed_headers
from voicegauge.identity.directory import Credential, Directory
from voicegauge.identity.errors import (
    AccessKeyLockedError,
    MalformedSignatureError,
    SignatureMismatchError,
    UnknownAccessKeyError,
)
from voicegauge.identity.gate import Caller, Gate
from voicegauge.identity.signature import HttpRequest
from voicegauge.identity.throttle import FailureThrottle

Call = Callable[..., Caller]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(tmp_path: Path, clock: Clock) -> Directory:
    return Directory(open_identity_database(tmp_path), clock)


@pytest.fixture
def credential(directory: Directory) -> Credential:
    return directory.create_key(directory.create_project("cn-north-4").project_id)


@pytest.fixture
def call(directory: Directory, credential: Credential, clock: Clock) -> Call:
    gate = Gate(directory, FailureThrottle(clock), clock)

    def authenticate(*, secret_key: str = credential.secret_key, access_key: str = credential.access_key) -> Caller:
        signer = Credential(access_key, secret_key, credential.project_id)
        return gate.authenticate(HttpRequest("GET", "/", "", signed_headers(signer, "GET", "/", now_s=clock())))

    return authenticate


def fail(call: Call, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignatureMismatchError):
            call(secret_key="wrong")


def test_the_caller_is_the_key_s_project(call: Call, credential: Credential) -> None:
    assert call() == Caller(credential.access_key, credential.project_id)


def test_an_unknown_and_a_revoked_key_are_refused(call: Call, credential: Credential, directory: Directory) -> None:
    with pytest.raises(UnknownAccessKeyError, match="NEVERWAS"):
        call(access_key="NEVERWAS")
    directory.revoke_key(credential.access_key)
    with pytest.raises(UnknownAccessKeyError):
        call()


def test_five_wrong_signatures_in_a_row_lock_the_key_for_five_minutes(call: Call, clock: Clock) -> None:
    fail(call, 5)
    with pytest.raises(AccessKeyLockedError) as caught:
        call()
    assert caught.value.remaining_s == 300
    clock.now_s += 299.5
    with pytest.raises(AccessKeyLockedError):
        call()
    clock.now_s += 0.5
    call()


def test_after_the_lock_the_count_begins_anew(call: Call, clock: Clock) -> None:
    fail(call, 5)
    clock.now_s += 300
    fail(call, 4)
    call()


def test_a_right_signature_breaks_the_row(call: Call) -> None:
    for _ in range(3):
        fail(call, 4)
        call()


def test_a_wrong_clock_is_no_wrong_signature(
    directory: Directory, credential: Credential, clock: Clock, call: Call
) -> None:
    gate = Gate(directory, FailureThrottle(clock), clock)
    late = HttpRequest("GET", "/", "", signed_headers(credential, "GET", "/", now_s=NOW_S - 3600))
    for _ in range(6):
        with pytest.raises(MalformedSignatureError):
            gate.authenticate(late)


def test_one_key_s_lock_is_not_another_s(call: Call, directory: Directory, credential: Credential) -> None:
    other = directory.create_key(credential.project_id)
    fail(call, 5)
    assert call(access_key=other.access_key, secret_key=other.secret_key).access_key == other.access_key
