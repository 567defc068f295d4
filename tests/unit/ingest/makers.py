"""Audio files and zips, written byte by byte where a test needs them to lie."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicegauge.assessment.recording import Recording, Samples
from voicegauge.ingest.decode import open_recording

RATE_HZ = 16_000


def tone(seconds: float = 0.5, *, channels: int = 1, rate_hz: int = RATE_HZ) -> Samples:
    """A quiet tone, its frequency another in each channel; shape (n, channels)."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.stack([0.25 * np.sin(2 * np.pi * (220 + 110 * c) * times_s) for c in range(channels)], axis=1).astype(
        np.float32
    )


def encoded(samples: Samples, format_: str, subtype: str | None = None, *, rate_hz: int = RATE_HZ) -> bytes:
    """What libsndfile writes; in short blocks, because its Vorbis encoder overflows the stack on long ones."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate_hz, samples.shape[1], subtype, format=format_) as sound:
        for start in range(0, len(samples), 4096):
            sound.write(samples[start : start + 4096])
    return buffer.getvalue()


def wav_layout(*, tag: int = 1, channels: int = 1, rate_hz: int = RATE_HZ, bits: int = 16) -> bytes:
    frame_bytes = channels * bits // 8
    return struct.pack(
        "<HHIIHH", tag, channels, rate_hz, rate_hz * frame_bytes & 0xFFFFFFFF, frame_bytes & 0xFFFF, bits
    )


def wav(
    data: bytes,
    layout: bytes | None = None,
    *,
    declared: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
    magic: bytes = b"RIFF",
) -> bytes:
    layout = wav_layout() if layout is None else layout
    length = len(data) if declared is None else declared
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", length) + data + after
    return magic + struct.pack("<I", min(len(body), 0xFFFFFFFF)) + body


def pcm16(samples: Samples) -> bytes:
    rounded: npt.NDArray[np.int16] = np.round(samples * 32_767).astype("<i2")
    return rounded.tobytes()


def write(folder: Path, content: bytes, name: str = "take.wav") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(recording: Recording) -> Samples:
    return np.concatenate(list(recording.open_blocks()))


def opened(folder: Path, content: bytes, name: str = "take.wav") -> Recording:
    return open_recording(write(folder, content, name), name=name)


@dataclass(frozen=True)
class Member:
    """One member; what is None is told truly."""

    name: bytes
    content: bytes = b""
    method: int = 8
    packed: bytes | None = None
    declared_bytes: int | None = None
    declared_packed_bytes: int | None = None
    crc32: int | None = None
    flags: int = 0
    unix_mode: int | None = None
    extra: bytes = b""


def zipped(*members: Member | tuple[str, bytes], comment: bytes = b"", before: bytes = b"") -> bytes:
    """A zip of these members; (name, content) stands for a deflated member with a UTF-8 name."""
    body, directory, count = _members([_as_member(member) for member in members], len(before), wide=False)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), len(comment))
    return before + body + directory + end + comment


def zipped64(*members: Member | tuple[str, bytes]) -> bytes:
    """The same with every size, offset and count in its zip64 place."""
    body, directory, count = _members([_as_member(member) for member in members], 0, wide=True)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), len(body))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body + directory + record + locator + end


def _as_member(member: Member | tuple[str, bytes]) -> Member:
    return member if isinstance(member, Member) else Member(member[0].encode(), member[1], flags=0x800)


def _members(members: Sequence[Member], moved_by: int, *, wide: bool) -> tuple[bytes, bytes, int]:
    body = b""
    directory = b""
    for member in members:
        packed = member.packed
        if packed is None:
            packed = _deflated(member.content) if member.method == 8 else member.content
        size = len(member.content) if member.declared_bytes is None else member.declared_bytes
        packed_bytes = len(packed) if member.declared_packed_bytes is None else member.declared_packed_bytes
        crc32 = zlib.crc32(member.content) if member.crc32 is None else member.crc32
        offset = len(body)
        extra = member.extra
        narrow = (packed_bytes & 0xFFFFFFFF, size & 0xFFFFFFFF, offset)
        if wide:
            extra += struct.pack("<HH3Q", 1, 24, size, packed_bytes, offset)
            narrow = (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        common = struct.pack("<4H3L", member.flags, member.method, 0, 0, crc32, *narrow[:2])
        body += b"PK\3\4" + struct.pack("<H", 20) + common + struct.pack("<2H", len(member.name), 0)
        body += member.name + packed
        system, attributes = (3, member.unix_mode << 16) if member.unix_mode is not None else (0, 0)
        directory += b"PK\1\2" + struct.pack("<4B", 20, system, 20, 0) + common
        directory += struct.pack("<5H2L", len(member.name), len(extra), 0, 0, 0, attributes, narrow[2])
        directory += member.name + extra
    return body, directory, len(members)


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()
