"""What was read aloud, from the text file beside a recording."""

from __future__ import annotations

import codecs

__all__ = ["MAX_TRANSCRIPT_BYTES", "decode_transcript"]

MAX_TRANSCRIPT_BYTES = 1 << 20
"""Three hours of speech are a tenth of it."""


def decode_transcript(raw: bytes) -> str:
    """Decode UTF-8 with or without a byte order mark, UTF-16 with one, or GB18030, and strip it.

    Raises
    ------
    ValueError
        It is too long, or not text in any of these.
    """
    if len(raw) > MAX_TRANSCRIPT_BYTES:
        raise ValueError("too long for a transcript")
    text = _decode(raw)
    if "\0" in text:
        raise ValueError("not text")
    return text.strip()


def _decode(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")
