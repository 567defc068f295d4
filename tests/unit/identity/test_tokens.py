from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.double import NOW_S
from voicegauge.identity.errors import InvalidTokenError, TokenExpiredError
from voicegauge.identity.signature import sign
from voicegauge.identity.tokens import TOKEN_LIFETIME_S, Token, issue_token, read_token, verify_token

ACCESS_KEY = "AKTEST"
SECRET_KEY = "SKTEST"
TOKEN = issue_token(ACCESS_KEY, SECRET_KEY, now_s=NOW_S + 0.75)


def check(text: str, *, secret_key: str = SECRET_KEY, now_s: float = NOW_S) -> Token:
    token = read_token(text)
    verify_token(token, secret_key, now_s=now_s)
    return token


def test_golden() -> None:
    # printf 'voicegauge access token 1\nAKTEST.1763514123.1763600523' | openssl dgst -sha256 -hmac SKTEST
    mac = "fc4833bdb139959abff9d393b61a9a5beb004a4a41c371e88ea2b21ae5c09128"
    assert TOKEN.text == f"AKTEST.1763514123.1763600523.{mac}"


def test_what_was_issued_is_read_and_verified() -> None:
    assert check(TOKEN.text) == TOKEN
    assert (TOKEN.access_key, TOKEN.issued_s, TOKEN.expires_s) == (ACCESS_KEY, int(NOW_S), int(NOW_S) + 86400)


def test_it_is_short_url_safe_text() -> None:
    longest = issue_token("A" * 20, "s" * 40, now_s=10**12 - 1 - TOKEN_LIFETIME_S).text
    assert len(longest) == 111
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", longest)
    assert read_token(longest).text == longest


def test_it_is_good_for_a_day_and_no_longer() -> None:
    check(TOKEN.text, now_s=NOW_S + 86400 - 0.001)
    with pytest.raises(TokenExpiredError) as caught:
        check(TOKEN.text, now_s=NOW_S + 86400)
    assert caught.value.expires_s == NOW_S + 86400


def test_a_clock_set_back_ends_no_token() -> None:
    check(TOKEN.text, now_s=NOW_S - 3600)


def test_no_character_can_be_changed_left_out_or_doubled() -> None:
    for position, old in enumerate(TOKEN.text):
        before, after = TOKEN.text[:position], TOKEN.text[position + 1 :]
        for new in {"", "1", "a", "B", ".", old + old, old + "\n"} - {old}:
            with pytest.raises(InvalidTokenError):
                check(before + new + after)


@pytest.mark.parametrize("part", range(3))
def test_each_part_of_what_it_says_is_signed(part: int) -> None:
    parts, others = TOKEN.text.split("."), issue_token("AKOTHER", SECRET_KEY, now_s=NOW_S + 1).text.split(".")
    parts[part] = others[part]
    with pytest.raises(InvalidTokenError):
        check(".".join(parts))


def test_a_forged_token_is_not_told_its_time_is_over() -> None:
    with pytest.raises(InvalidTokenError):
        check(TOKEN.text[:-1] + "x", now_s=NOW_S + 10 * 86400)
    with pytest.raises(InvalidTokenError):
        check(TOKEN.text, secret_key="another", now_s=NOW_S + 10 * 86400)


def test_another_key_s_secret_does_not_fit() -> None:
    with pytest.raises(InvalidTokenError):
        check(TOKEN.text, secret_key="SKTEST ")


def test_a_request_s_signature_is_no_token() -> None:
    claims = TOKEN.text.rpartition(".")[0]
    for signature in (sign(claims, "20251119T010203Z", SECRET_KEY), sign("", claims, SECRET_KEY)):
        with pytest.raises(InvalidTokenError):
            check(f"{claims}.{signature}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "MIIF" * 1000,
        f" {TOKEN.text}",
        f"{TOKEN.text} ",
        TOKEN.text * 2,
        TOKEN.text.upper(),
        TOKEN.text.replace("1", "١"),
        TOKEN.text.replace(ACCESS_KEY, ""),
        TOKEN.text.replace(ACCESS_KEY, "\0"),
    ],
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        check(text)


@settings(max_examples=30, deadline=None)
@given(st.text() | st.from_regex(r"[A-Z0-9]{1,20}\.[0-9]{1,12}\.[0-9]{1,12}\.[0-9a-f]{64}", fullmatch=True))
def test_garbage_is_refused_and_harms_nothing(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        check(text)


def test_the_token_is_in_no_text_of_itself() -> None:
    assert TOKEN.text not in f"{TOKEN} {TOKEN!r}"
    assert TOKEN.text.rpartition(".")[2] not in f"{TOKEN} {TOKEN!r}"
