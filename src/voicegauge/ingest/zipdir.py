"""The table of contents of a zip, read without trusting a number in it.

PKWARE's .ZIP File Format Specification (APPNOTE.TXT 6.3.10), sections 4.3.7 to 4.3.16 and 4.5.3.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from voicegauge.ingest.names import clean_name, decode_name
from voicegauge.ingest.problems import ArchiveProblem

__all__ = ["DEFLATED", "LOCAL_HEADER", "STORED", "DirectoryError", "Entry", "read_directory"]

STORED = 0
DEFLATED = 8
LOCAL_HEADER = struct.Struct("<4s5H3L2H")

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s4B4H3L5H2L")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENCRYPTED_FLAG = 0x1
_UTF8_FLAG = 0x800
_UNIX = 3
_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075
_MAX_COMMENT_BYTES = 65_535
_VARIABLE_BYTES = 16 << 20  # names, extra fields and comments of all entries together


class DirectoryError(Exception):
    """The table of contents cannot be used."""

    def __init__(self, problem: ArchiveProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Entry:
    """One line of the table of contents. All of it is claims.

    `name` is for display; `mode` holds Unix file type bits, 0 where there are none.
    """

    name: str
    size_bytes: int
    compressed_bytes: int
    method: int
    crc32: int
    header_offset: int
    encrypted: bool
    is_folder: bool
    mode: int

    @property
    def is_link(self) -> bool:
        """Tell whether it is neither a file nor a folder: a symbolic link, a device, a pipe."""
        return stat.S_IFMT(self.mode) not in (0, stat.S_IFREG, stat.S_IFDIR)


def read_directory(file: BinaryIO, *, max_entries: int) -> tuple[Entry, ...]:
    """Read the table of contents of a zip or zip64 archive.

    Memory is bounded by `max_entries`, whatever the archive claims.

    Raises
    ------
    DirectoryError
        With the problem: not a zip, truncated, corrupt, split, or too many entries.
    """
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - _END.size - _MAX_COMMENT_BYTES)
    tail = _read_at(file, tail_at, size - tail_at)
    end_at = _find_end(tail)
    if end_at is None:
        starts_like_zip = _read_at(file, 0, 4) == b"PK\3\4"
        raise DirectoryError(ArchiveProblem.TRUNCATED_ARCHIVE if starts_like_zip else ArchiveProblem.NOT_A_ZIP)
    _, disk, _, _, count, length, offset, _ = _END.unpack_from(tail, end_at)
    end_at += tail_at
    split = disk != 0
    if 0xFFFF in (disk, count) or 0xFFFFFFFF in (length, offset):
        locator = _read_at(file, end_at - _END64_LOCATOR.size, _END64_LOCATOR.size)
        if locator.startswith(b"PK\6\7") and len(locator) == _END64_LOCATOR.size:
            split = _END64_LOCATOR.unpack(locator)[3] > 1
            end_at -= _END64_LOCATOR.size + _END64.size
            record = _read_at(file, end_at, _END64.size)
            if not record.startswith(b"PK\6\6") or len(record) < _END64.size:
                raise DirectoryError(ArchiveProblem.CORRUPT_ARCHIVE)
            count, length, offset = _END64.unpack(record)[7:]
    if split:
        raise DirectoryError(ArchiveProblem.SPLIT_ARCHIVE)
    if count > max_entries or length > max_entries * _ENTRY.size + _VARIABLE_BYTES:
        raise DirectoryError(ArchiveProblem.TOO_MANY_ENTRIES)
    directory_at = end_at - length
    # Bytes put before an archive move everything in it by the same distance.
    shift = directory_at - offset
    if directory_at < 0 or shift < 0:
        raise DirectoryError(ArchiveProblem.CORRUPT_ARCHIVE)
    entries = []
    for entry in _entries(_read_at(file, directory_at, length), shift):
        entries.append(entry)
        if len(entries) > max_entries:
            raise DirectoryError(ArchiveProblem.TOO_MANY_ENTRIES)
    return tuple(entries)


def _read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    if offset < 0:
        return b""
    file.seek(offset)
    return file.read(count)


def _find_end(tail: bytes) -> int | None:
    at = len(tail)
    while (at := tail.rfind(b"PK\5\6", 0, at)) >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] <= len(tail):
            return at
    return None


def _entries(directory: bytes, shift: int) -> Iterator[Entry]:
    at = 0
    while at < len(directory):
        if at + _ENTRY.size > len(directory) or directory[at : at + 4] != b"PK\1\2":
            raise DirectoryError(ArchiveProblem.CORRUPT_ARCHIVE)
        fields = _ENTRY.unpack_from(directory, at)
        _, _, system, _, _, flags, method, _, _, crc32, compressed, size = fields[:12]
        name_bytes, extra_bytes, comment_bytes, _, _, attributes, header_offset = fields[12:]
        at += _ENTRY.size
        raw_name = directory[at : at + name_bytes]
        extra = _extra_fields(directory[at + name_bytes : at + name_bytes + extra_bytes])
        at += name_bytes + extra_bytes + comment_bytes
        size, compressed, header_offset = _widen((size, compressed, header_offset), extra.get(_ZIP64_EXTRA, b""))
        name = _name(raw_name, extra.get(_UNICODE_PATH_EXTRA, b""), utf8=bool(flags & _UTF8_FLAG))
        yield Entry(
            name=clean_name(name),
            size_bytes=size,
            compressed_bytes=compressed,
            method=method,
            crc32=crc32,
            header_offset=header_offset + shift,
            encrypted=bool(flags & _ENCRYPTED_FLAG),
            is_folder=name.endswith(("/", "\\")),
            mode=attributes >> 16 if system == _UNIX else 0,
        )


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        fields[kind] = extra[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def _widen(values: tuple[int, int, int], zip64: bytes) -> tuple[int, int, int]:
    """Replace what did not fit in 32 bits by its zip64 value; those come in the same order, the others left out."""
    wide = iter(struct.unpack_from(f"<{len(zip64) // 8}Q", zip64))
    size, compressed, offset = (next(wide, value) if value == 0xFFFFFFFF else value for value in values)
    return size, compressed, offset


def _name(raw: bytes, unicode_path: bytes, *, utf8: bool) -> str:
    # Version 1, the CRC of the name it replaces, and the name in UTF-8.
    if unicode_path[:1] == b"\1" and unicode_path[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
        return unicode_path[5:].decode(errors="replace")
    return raw.decode(errors="replace") if utf8 else decode_name(raw)
