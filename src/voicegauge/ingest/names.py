"""Names of files that others chose: made readable, sortable and safe to print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

__all__ = ["clean_name", "decode_name", "is_hidden", "natural_key", "stem_of", "suffix_of", "unique_names"]

_NAME_CHARACTERS = 255
_READ_CHARACTERS = 1_024
_DIGITS = re.compile("([0-9]+)")
_DRIVE = re.compile("[A-Za-z]:")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def decode_name(raw: bytes) -> str:
    """Decode a zip member's name that is not marked as UTF-8.

    macOS writes UTF-8 there, Chinese Windows GBK, and some GBK names are valid UTF-8 by accident. Three-byte
    sequences (every Chinese character in UTF-8) decide for UTF-8, then common Chinese characters for GBK.
    """
    try:
        utf8 = raw.decode()
    except UnicodeDecodeError:
        utf8 = None
    if utf8 is not None and (utf8.isascii() or max(utf8) >= "\u0800"):
        return utf8
    try:
        return raw.decode("gb2312")
    except UnicodeDecodeError:
        pass
    if utf8 is not None:
        return utf8
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def clean_name(name: str) -> str:
    """Turn any path into a relative one with forward slashes, without drive, dots or unprintable characters.

    A longer name than 255 characters keeps its end. The result is for display and is never empty.
    """
    printable = "".join(
        "\ufffd" if unicodedata.category(character) in _UNPRINTABLE else character for character in name
    )
    parts = unicodedata.normalize("NFC", printable).replace("\\", "/").split("/")
    if _DRIVE.match(parts[0]):
        parts[0] = parts[0][2:]
    cleaned = "/".join(part for part in parts if part.strip() not in ("", ".", "..")) or "unnamed"
    return cleaned if len(cleaned) <= _NAME_CHARACTERS else "…" + cleaned[1 - _NAME_CHARACTERS :]


def is_hidden(name: str) -> bool:
    """Tell whether a cleaned name lies in a hidden folder, or is what an operating system leaves behind."""
    return any(part.startswith(".") or part.lower() in _CLUTTER for part in name.split("/"))


def suffix_of(name: str) -> str:
    """Return the lower-case suffix with its dot, or an empty string."""
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if dot and stem else ""


def stem_of(name: str) -> str:
    """Return the name without its suffix, folders included."""
    return name[: len(name) - len(suffix_of(name))]


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Return a sort key that puts 2.wav before 10.wav, folder by folder."""
    return tuple(tuple(_natural_pieces(part.casefold())) for part in name.split("/"))


def _natural_pieces(part: str) -> Iterator[tuple[int, int, str]]:
    for index, piece in enumerate(_DIGITS.split(part)):
        if index % 2:
            digits = piece.lstrip("0")
            yield 0, len(digits), digits
        elif piece:
            yield 1, 0, piece


def unique_names(names: Iterable[str]) -> Iterator[str]:
    """Repeat the names, a second "a.wav" as "a (2).wav"."""
    seen: set[str] = set()
    counts: dict[str, int] = {}
    for name in names:
        unique = name
        while unique in seen:
            counts[name] = counts.get(name, 1) + 1
            unique = f"{stem_of(name)} ({counts[name]}){name[len(stem_of(name)) :]}"
        seen.add(unique)
        yield unique
