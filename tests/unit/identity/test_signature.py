"""The golden vectors were computed with the vendor's own SDK."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from voicegauge.identity.errors import MalformedSignatureError, NotSignedError, SignatureMismatchError
from voicegauge.identity.signature import HttpRequest, canonical_request, parse_authorization, sign, verify

SECRET_KEY = "SKTEST"
NOW_S = datetime(2025, 11, 19, 1, 2, 3, tzinfo=UTC).timestamp()
EMPTY_HASH = hashlib.sha256(b"").hexdigest()

COMMON = {
    "host": "127.0.0.1:8000",
    "x-sdk-date": "20251119T010203Z",
    "content-type": "application/json",
    "x-project-id": "p123",
}
CREATE = HttpRequest(
    "POST", "/v1/p123/voice-training-manage/user/short-jobs", "", COMMON, b'{"job_type": "VOICE_ASSESS"}'
)
GET = HttpRequest("GET", "/v1/p123/x/a%20b~%2F", "b=2&a=z&a=1%20%2B%2F", COMMON)
PUT = HttpRequest(
    "PUT",
    "/u",
    "",
    {
        "host": "127.0.0.1:8000",
        "x-sdk-date": "20251119T010203Z",
        "content-type": "application/zip",
        "x-sdk-content-sha256": "UNSIGNED-PAYLOAD",
    },
    b"abc",
)
GOLDEN = [
    pytest.param(
        CREATE,
        "content-type;host;x-project-id;x-sdk-date",
        "e5b22e9cb8d591a00b94a60ebd65cd1e73078b1a6b1c42b4f3c6ce3809c4b73e",
        id="create",
    ),
    pytest.param(
        GET,
        "content-type;host;x-project-id;x-sdk-date",
        "361cd2bc2b457f8c78ef8cdae2b5afc8e09431f0f9b9fb95df967252962ab420",
        id="path-and-query",
    ),
    pytest.param(
        PUT,
        "content-type;host;x-sdk-content-sha256;x-sdk-date",
        "5da2ad9fee736dae9c76043fc7e544367cd3e4b18efb8562b28b6214665fda78",
        id="unsigned-payload",
    ),
]


def with_authorization(request: HttpRequest, names: str, signature: str) -> HttpRequest:
    value = f"SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders={names}, Signature={signature}"
    return replace(request, headers={**request.headers, "authorization": value})


def signed(request: HttpRequest, *, payload_hash: str | None = None, secret_key: str = SECRET_KEY) -> HttpRequest:
    names = sorted(request.headers)
    canonical = canonical_request(request, names, payload_hash or hashlib.sha256(request.body).hexdigest())
    return with_authorization(request, ";".join(names), sign(canonical, request.headers["x-sdk-date"], secret_key))


def check(request: HttpRequest, now_s: float = NOW_S) -> None:
    verify(request, parse_authorization(request.headers), secret_key=SECRET_KEY, now_s=now_s)


@pytest.mark.parametrize(("request_", "names", "signature"), GOLDEN)
def test_the_sdk_s_signatures_are_accepted(request_: HttpRequest, names: str, signature: str) -> None:
    check(with_authorization(request_, names, signature))


@pytest.mark.parametrize(("request_", "names", "signature"), GOLDEN)
def test_another_secret_is_refused(request_: HttpRequest, names: str, signature: str) -> None:
    request = with_authorization(request_, names, signature)
    with pytest.raises(SignatureMismatchError):
        verify(request, parse_authorization(request.headers), secret_key="SKTEST2", now_s=NOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/v1/p124/voice-training-manage/user/short-jobs"},
        {"query": "a=1"},
        {"body": b'{"job_type":"VOICE_ASSESS"}'},
        {"headers": {**COMMON, "x-project-id": "p124"}},
        {"headers": {**COMMON, "host": "127.0.0.1:8001"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_signed_cannot_be_changed(change: dict[str, object]) -> None:
    authorization = signed(CREATE).headers["authorization"]
    changed = replace(CREATE, **change)  # type: ignore[arg-type]
    with pytest.raises(SignatureMismatchError):
        check(replace(changed, headers={**changed.headers, "authorization": authorization}))


def test_a_mismatch_tells_the_canonical_request() -> None:
    with pytest.raises(SignatureMismatchError) as caught:
        check(signed(CREATE, secret_key="another"))
    assert caught.value.canonical_request.splitlines() == [
        "POST",
        "/v1/p123/voice-training-manage/user/short-jobs/",
        "",
        "content-type:application/json",
        "host:127.0.0.1:8000",
        "x-project-id:p123",
        "x-sdk-date:20251119T010203Z",
        "",
        "content-type;host;x-project-id;x-sdk-date",
        hashlib.sha256(CREATE.body).hexdigest(),
    ]


def test_only_the_date_must_be_among_the_signed_headers() -> None:
    request = replace(CREATE, headers={"x-sdk-date": "20251119T010203Z"})
    check(signed(request))


def test_an_unsigned_date_is_refused() -> None:
    request = with_authorization(CREATE, "host", "0" * 64)
    with pytest.raises(MalformedSignatureError, match="x-sdk-date must be among"):
        check(request)


@pytest.mark.parametrize("offset_s", [-900, 0, 900])
def test_clocks_may_differ_by_fifteen_minutes(offset_s: int) -> None:
    check(signed(CREATE), NOW_S + offset_s)


@pytest.mark.parametrize("offset_s", [-901, 901])
def test_clocks_may_not_differ_by_more(offset_s: int) -> None:
    with pytest.raises(MalformedSignatureError, match="15 minutes"):
        check(signed(CREATE), NOW_S + offset_s)


@pytest.mark.parametrize(
    "date", ["", "20251119T010203", "2025-11-19T01:02:03Z", "20251332T010203Z", "２0251119T010203Z"]
)
def test_a_date_of_another_form_is_refused(date: str) -> None:
    request = signed(replace(CREATE, headers={**COMMON, "x-sdk-date": date}))
    with pytest.raises(MalformedSignatureError, match="X-Sdk-Date"):
        check(request)


def test_a_signed_header_that_is_missing_is_named() -> None:
    request = with_authorization(CREATE, "user-agent;x-sdk-date", "0" * 64)
    with pytest.raises(MalformedSignatureError, match="user-agent"):
        check(request)


def test_header_values_are_trimmed() -> None:
    authorization = signed(CREATE).headers["authorization"]
    padded = {**COMMON, "x-project-id": "  p123 ", "authorization": authorization}
    check(replace(CREATE, headers=padded))


def test_an_empty_query_value_keeps_its_equals_sign() -> None:
    request = replace(GET, query="b&a=")
    assert "\na=&b=\n" in canonical_request(request, ["x-sdk-date"], EMPTY_HASH)


def test_a_plus_in_the_query_is_a_plus() -> None:
    request = replace(GET, query="a=1+2&a=1%202")
    assert "\na=1%202&a=1%2B2\n" in canonical_request(request, ["x-sdk-date"], EMPTY_HASH)


def test_bytes_that_are_no_text_keep_their_encoding() -> None:
    request = replace(GET, path="/v1/%ff%E4%B8%AD")
    assert "\n/v1/%FF%E4%B8%AD/\n" in canonical_request(request, ["x-sdk-date"], EMPTY_HASH)


class TestPayloadHash:
    def declared(self, value: str, body: bytes) -> HttpRequest:
        return replace(PUT, headers={**PUT.headers, "x-sdk-content-sha256": value}, body=body)

    def test_unsigned_payload_covers_any_body(self) -> None:
        request = signed(self.declared("UNSIGNED-PAYLOAD", b"abc"), payload_hash="UNSIGNED-PAYLOAD")
        check(request)
        check(replace(request, body=b"another"))

    @pytest.mark.parametrize("payload_hash", ["UNSIGNED-PAYLOAD", EMPTY_HASH])
    def test_an_empty_body_may_be_signed_either_way(self, payload_hash: str) -> None:
        check(signed(self.declared("UNSIGNED-PAYLOAD", b""), payload_hash=payload_hash))

    def test_the_empty_hash_covers_an_empty_body_only(self) -> None:
        request = signed(self.declared("UNSIGNED-PAYLOAD", b""), payload_hash=EMPTY_HASH)
        with pytest.raises(SignatureMismatchError):
            check(replace(request, body=b"abc"))

    def test_a_request_signed_with_its_hash_cannot_be_turned_into_an_unsigned_one(self) -> None:
        request = signed(CREATE)
        with pytest.raises(SignatureMismatchError):
            check(
                replace(
                    request, headers={**request.headers, "x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}, body=b"another"
                )
            )

    def test_the_real_hash_is_accepted(self) -> None:
        actual = hashlib.sha256(b"abc").hexdigest()
        check(signed(self.declared(actual, b"abc"), payload_hash=actual))

    def test_another_hash_than_the_body_s_is_refused(self) -> None:
        other = hashlib.sha256(b"abcd").hexdigest()
        with pytest.raises(MalformedSignatureError, match="not the body's hash"):
            check(signed(self.declared(other, b"abc"), payload_hash=other))

    def test_another_word_is_refused(self) -> None:
        with pytest.raises(MalformedSignatureError, match="SHA-256 in hex"):
            check(signed(self.declared("STREAMING", b"abc"), payload_hash="STREAMING"))


class TestAuthorizationHeader:
    def test_its_parts(self) -> None:
        parsed = parse_authorization(
            {"authorization": "SDK-HMAC-SHA256 Access=AK,SignedHeaders=Host;x-sdk-date,Signature=ab"}
        )
        assert (parsed.access_key, parsed.signed_headers, parsed.signature) == ("AK", ("host", "x-sdk-date"), "ab")

    @pytest.mark.parametrize("headers", [{}, {"authorization": " "}, {"x-auth-token": "MIIF"}])
    def test_none(self, headers: dict[str, str]) -> None:
        with pytest.raises(NotSignedError):
            parse_authorization(headers)

    @pytest.mark.parametrize("algorithm", ["V11-HMAC-SHA256", "SDK-HMAC-SM3", "SDK-SM2-SM3", "Bearer"])
    def test_other_algorithms_are_refused_by_name(self, algorithm: str) -> None:
        value = f"{algorithm} Access=AK, SignedHeaders=x-sdk-date, Signature=ab"
        with pytest.raises(MalformedSignatureError, match=f"{algorithm} is not supported"):
            parse_authorization({"authorization": value})

    @pytest.mark.parametrize(
        "value",
        [
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 Access=AK",
            "SDK-HMAC-SHA256 SignedHeaders=x, Access=AK, Signature=ab",
            "SDK-HMAC-SHA256 Access=, SignedHeaders=x, Signature=ab",
            "SDK-HMAC-SHA256 Access=AK, SignedHeaders=x, Signature=ab, More=1",
        ],
    )
    def test_anything_else_is_told_the_form(self, value: str) -> None:
        with pytest.raises(MalformedSignatureError, match="must read"):
            parse_authorization({"authorization": value})

    def test_a_signature_that_is_no_ascii_is_wrong_and_nothing_worse(self) -> None:
        with pytest.raises(SignatureMismatchError):
            check(with_authorization(CREATE, "x-sdk-date", "é" * 64))
