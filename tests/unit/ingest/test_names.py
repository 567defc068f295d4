"""Names of files that others chose."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegauge.ingest.names import (
    clean_name,
    decode_name,
    is_hidden,
    natural_key,
    stem_of,
    suffix_of,
    unique_names,
)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"take.wav", "take.wav"),
        ("录音/第一句.wav".encode(), "录音/第一句.wav"),
        ("录音/第一句.wav".encode("gbk"), "录音/第一句.wav"),
        ("一.wav".encode("gbk"), "一.wav"),  # D2 BB is also a Cyrillic letter in UTF-8
        ("镕.wav".encode("gbk"), "镕.wav"),  # in GBK, not in GB2312
        ("誠.wav".encode("gbk"), "誠.wav"),  # its second byte is a backslash
        ("cafe\u0301.wav".encode(), "cafe\u0301.wav"),
        (b"\xff\x80.wav", "\u00a0Ç.wav"),
    ],
)
def test_names_without_a_declared_encoding(raw: bytes, name: str) -> None:
    assert decode_name(raw) == name


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a/b.wav", "a/b.wav"),
        ("../../etc/passwd.wav", "etc/passwd.wav"),
        ("/abs/b.wav", "abs/b.wav"),
        ("C:\\takes\\b.wav", "takes/b.wav"),
        ("\\\\host\\share\\b.wav", "host/share/b.wav"),
        ("./a//./b.wav", "a/b.wav"),
        ("a/.. /b.wav", "a/b.wav"),
        ("\x1b[31mred\x00\n.wav", "\ufffd[31mred\ufffd\ufffd.wav"),
        ("\u202egpj.wav", "\ufffdgpj.wav"),
        ("\udcff.wav", "\ufffd.wav"),
        ("全角\u3000空格.wav", "全角\u3000空格.wav"),
        ("cafe\u0301.wav", "café.wav"),
        ("..", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_any_path_becomes_a_harmless_relative_one(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@settings(max_examples=50)
@given(st.text())
def test_cleaned_names_are_always_harmless(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 255
    assert not re.search(r"\\|[\x00-\x1f\x7f]|^/|//|(^|/)\.\.?(/|$)", cleaned)
    assert clean_name(cleaned) == cleaned
    cleaned.encode()


def test_a_long_name_keeps_its_suffix() -> None:
    assert clean_name("x" * 70_000 + ".wav").endswith("xxx.wav")


def test_suffix_and_stem() -> None:
    assert (suffix_of("a/Take.WAV"), stem_of("a/Take.WAV")) == (".wav", "a/Take")
    assert (suffix_of("a.b/take"), stem_of("a.b/take")) == ("", "a.b/take")
    assert suffix_of(".wav") == ""


@pytest.mark.parametrize(
    "name", [".x.wav", "a/.git/b.wav", "__MACOSX/._a.wav", "Thumbs.db", "a/desktop.ini", ".DS_Store"]
)
def test_clutter_is_hidden(name: str) -> None:
    assert is_hidden(name)
    assert not is_hidden("a/b.c.wav")


def test_numbers_sort_by_value_and_folders_hold_together() -> None:
    wanted = [
        "1.wav",
        "02.wav",
        "2a.wav",
        "10.wav",
        "a/9.wav",
        "a/10.wav",
        "a-b/1.wav",
        "B/1.wav",
        "第2句.wav",
        "第10句.wav",
    ]
    assert sorted(set(wanted), key=natural_key) == wanted
    natural_key("9" * 100_000)


@settings(max_examples=50)
@given(st.lists(st.text("a1(). /", min_size=1), max_size=8))
def test_any_names_can_be_compared(names: list[str]) -> None:
    assert len(sorted(names, key=natural_key)) == len(names)


def test_names_are_made_unique() -> None:
    names = ["a.wav", "a.wav", "a (2).wav", "a.wav", "b"]
    assert list(unique_names(names)) == ["a.wav", "a (2).wav", "a (2) (2).wav", "a (3).wav", "b"]
