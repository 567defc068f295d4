"""What kind of audio file this is and whether its end is there, told from a few headers."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import BinaryIO

__all__ = ["Container", "Decoder", "inspect"]

_MAX_CHUNKS = 4096
_PADDING_BYTES = 16_384
_MPEG_FRAME_BYTES = 2881  # the longest MPEG audio frame


class Decoder(Enum):
    """Which decoder a file is for."""

    SNDFILE = auto()
    MP4 = auto()
    ADTS = auto()
    NONE = auto()


@dataclass(frozen=True)
class Container:
    """What the headers of one file say.

    Attributes
    ----------
    decoder : Decoder
    kind : str
        The name of the format, for people; empty where nothing was recognised.
    truncated : bool
        The headers promise more bytes than there are.
    missing_s : float or None
        How much is missing, where the header says it.
    overlay : mapping of int to bytes
        Header bytes, by offset, that the decoder must be shown in place of what is there, because it would believe
        a wrong length in them.
    endless : bool
        The decoder would guess the length from the file size, and guess wrong.
    skip_bytes : int
        Tags in front of the sound, which not every decoder gets past.
    """

    decoder: Decoder
    kind: str = ""
    truncated: bool = False
    missing_s: float | None = None
    overlay: dict[int, bytes] = field(default_factory=dict)
    endless: bool = False
    skip_bytes: int = 0


def inspect(file: BinaryIO) -> Container:
    """Recognise a file by its content. Reads headers only, and never more than a few kilobytes at a time.

    Parameters
    ----------
    file : binary file, seekable; left at its beginning
    """
    size = file.seek(0, os.SEEK_END)
    head = _read_at(file, 0, 16)
    audio_at = 0
    if head.startswith(b"ID3") and len(head) >= 10:
        audio_at = 10 + int("".join(f"{byte & 127:07b}" for byte in head[6:10]), 2)
        padding = _read_at(file, audio_at, _PADDING_BYTES)
        audio_at += len(padding) - len(padding.lstrip(b"\0"))
        head = _read_at(file, audio_at, 16)
    container = _recognise(file, size, head, audio_at)
    file.seek(0)
    return container


def _recognise(file: BinaryIO, size: int, head: bytes, audio_at: int) -> Container:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _inspect_wav(file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _inspect_aiff(file, size)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return _inspect_mp4(file, size)
    if head[:4] == b"OggS":
        return _inspect_ogg(file, size)
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Container(Decoder.ADTS, "AAC")
    # Layers II and III; the sign of layer I is also how text in UTF-16 begins.
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 in (2, 4):
        return _inspect_mp3(file, size, audio_at)
    for magic, kind in _SNDFILE_KINDS.items():
        if head.startswith(magic):
            return Container(Decoder.SNDFILE, kind, skip_bytes=audio_at)
    for magic, kind in _FOREIGN_KINDS.items():
        if head.startswith(magic):
            return Container(Decoder.NONE, kind)
    return Container(Decoder.SNDFILE, "MP3" if audio_at else "")


_SNDFILE_KINDS = {b"fLaC": "FLAC", b"caff": "CAF", b".snd": "AU", b"riff": "W64"}
_FOREIGN_KINDS = {
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "WMA",
    b"#!AMR": "AMR",
    b"\x1a\x45\xdf\xa3": "WebM",
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio",
}


def _read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _chunks(file: BinaryIO, size: int, *, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Walk IFF chunks behind the 12-byte form header: name, offset of the content, declared length."""
    at = 12
    for _ in range(_MAX_CHUNKS):
        header = _read_at(file, at, 8) if at < size else b""
        if len(header) < 8:
            return
        name, length = struct.unpack(f"{order}4sI", header)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _inspect_wav(file: BinaryIO, size: int) -> Container:
    bytes_per_s = 0
    long_length = 0
    for name, at, length in _chunks(file, size, order="<"):
        if name == b"fmt ":
            layout = _read_at(file, at, 16)
            if len(layout) == 16:
                _, _, rate_hz, _, frame_bytes, _ = struct.unpack("<HHIIHH", layout)
                bytes_per_s = rate_hz * frame_bytes
        elif name == b"ds64":
            lengths = _read_at(file, at, 16)
            long_length = struct.unpack("<QQ", lengths)[1] if len(lengths) == 16 else 0
        elif name == b"data":
            if length == 0 and _is_unfinished(_read_at(file, at, 8), size - at):
                return Container(Decoder.SNDFILE, "WAV", truncated=True, overlay={at - 4: b"\xff\xff\xff\xff"})
            if length == 0xFFFFFFFF and long_length:
                length = long_length
            # Just under 2^31 and 2^32 stands for "unknown" in files that were written to a pipe.
            elif 0x7FFF0000 <= length <= 0x80000000 or length >= 0xFFFF0000:
                break
            missing = at + length - size
            if missing > 0:
                missing_s = missing / bytes_per_s if bytes_per_s else None
                return Container(Decoder.SNDFILE, "WAV", truncated=True, missing_s=missing_s)
            break
    return Container(Decoder.SNDFILE, "WAV")


def _is_unfinished(following: bytes, remaining: int) -> bool:
    """Tell whether samples follow a data chunk of length 0: the recorder stopped before it wrote the length."""
    if remaining < 8 or len(following) < 8:
        return False
    name, length = struct.unpack("<4sI", following)
    return not (all(32 <= byte < 127 for byte in name) and length <= remaining - 8)


def _inspect_aiff(file: BinaryIO, size: int) -> Container:
    for name, at, length in _chunks(file, size, order=">"):
        if name == b"SSND":
            return Container(Decoder.SNDFILE, "AIFF", truncated=at + length > size)
    return Container(Decoder.SNDFILE, "AIFF")


def _inspect_mp4(file: BinaryIO, size: int) -> Container:
    at = 0
    for _ in range(_MAX_CHUNKS):
        header = _read_at(file, at, 16) if at < size else b""
        if len(header) < 8:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1 and len(header) == 16:
            length = int.from_bytes(header[8:], "big")
        if length < 8:
            break
        at += length
    return Container(Decoder.MP4, "M4A", truncated=at > size)


def _inspect_ogg(file: BinaryIO, size: int) -> Container:
    tail_at = max(0, size - (65_536 + 282))  # one page at its longest
    tail = _read_at(file, tail_at, size - tail_at)
    page = tail[tail.rfind(b"OggS") :]
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    complete = len(page) > 26 and len(page) >= 27 + page[26] + sum(segments)
    return Container(Decoder.SNDFILE, "OGG", truncated=not complete)


def _inspect_mp3(file: BinaryIO, size: int, audio_at: int) -> Container:
    """Keep the decoder from believing a frame count in an encoder's tag, or guessing one from the first bit rate."""
    frame = _read_at(file, audio_at, 200)
    at = max(frame.find(b"Xing", 4, 64), frame.find(b"Info", 4, 64))
    if at < 0:
        at = frame.find(b"VBRI", 4, 64)
        overlay = {audio_at + at: bytes(4)} if at >= 0 else {}
        return Container(Decoder.SNDFILE, "MP3", overlay=overlay, endless=True, skip_bytes=audio_at)
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    if not flags & 1:
        overlay = {audio_at + at: bytes(4)}
        return Container(Decoder.SNDFILE, "MP3", overlay=overlay, endless=True, skip_bytes=audio_at)
    overlay = {audio_at + at + 8: b"\x7f\xff\xff\xff"}
    missing_bytes = 0
    if flags & 2:
        missing_bytes = int.from_bytes(frame[at + 12 : at + 16], "big") - (size - audio_at)
        # The decoder would complain on standard error about a byte count that does not fit.
        overlay[audio_at + at + 12] = min(size - audio_at, 0xFFFFFFFF).to_bytes(4, "big")
    truncated = missing_bytes > _MPEG_FRAME_BYTES
    return Container(Decoder.SNDFILE, "MP3", truncated=truncated, overlay=overlay, skip_bytes=audio_at)
