"""Zips from people we do not know."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from voicegauge.assessment.values import Text
from voicegauge.errors import ArchiveError, NoRecordingsError
from voicegauge.ingest.problems import ArchiveProblem, RecordingProblem, problem_text, recording_error
from voicegauge.ingest.zipdir import DEFLATED, LOCAL_HEADER, STORED, DirectoryError, Entry, read_directory

__all__ = [
    "DEFAULT_LIMITS",
    "Archive",
    "ArchiveLimits",
    "ArchiveProblem",
    "archive_error",
    "archive_problem_text",
    "open_archive",
    "read_member",
]

_GIB = 1 << 30
_PIECE_BYTES = 1 << 18
_MAX_DEFLATE_RATIO = 1032  # what the format allows


@dataclass(frozen=True)
class ArchiveLimits:
    """How much of a zip is believed.

    Attributes
    ----------
    entries : int
        Lines in its table of contents, folders and hidden files included.
    total_bytes, member_bytes : int
        Unpacked size of everything, and of one member.
    ratio : int
        Unpacked over packed size, of one member and of everything; speech stays under 20.
    ratio_from_bytes : int
        Unpacked size under which no ratio is suspicious: digital silence packs by 1000.
    """

    entries: int = 10_000
    total_bytes: int = 16 * _GIB
    member_bytes: int = 4 * _GIB
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20


DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class Archive:
    """The table of contents of one zip; holds no open file.

    Attributes
    ----------
    path : Path
    entries : tuple of Entry
        Everything but folders, as listed, hidden files included.
    stamp : tuple of int
        Size and modification time, to notice when another file takes its place.
    """

    path: Path
    entries: tuple[Entry, ...]
    stamp: tuple[int, int]
    limits: ArchiveLimits


def archive_problem_text(problem: ArchiveProblem, limits: ArchiveLimits) -> Text:
    """Say what is wrong with an archive and what to do about it."""
    return problem_text(problem, entries=limits.entries, total_gb=limits.total_bytes / _GIB)


def archive_error(problem: ArchiveProblem, limits: ArchiveLimits) -> ArchiveError:
    """Make the error of a whole archive."""
    text = archive_problem_text(problem, limits)
    return ArchiveError(problem.value, text.zh, text.en)


def open_archive(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Archive:
    """Read the table of contents of a zip that nobody vouches for.

    Nothing is unpacked. Sizes claimed there are checked here, and again on the bytes when a member is read: no
    member gives more bytes than it claims, so the limits hold for an archive that lies.

    Raises
    ------
    ArchiveError
        With a code of :class:`ArchiveProblem`.
    NoRecordingsError
        The file does not exist or may not be read.
    """
    try:
        with path.open("rb") as file:
            stamp = _stamp(file)
            entries = read_directory(file, max_entries=limits.entries)
    except DirectoryError as error:
        raise archive_error(error.problem, limits) from error
    except OSError as error:
        raise NoRecordingsError(f"{path}: cannot be opened: {error.strerror}") from error
    sizes = [_possible_bytes(entry, stamp[0]) for entry in entries]
    total_bytes = sum(size for size in sizes if size <= limits.member_bytes)
    if total_bytes > limits.total_bytes:
        raise archive_error(ArchiveProblem.TOO_LARGE, limits)
    if total_bytes > limits.ratio_from_bytes and total_bytes > limits.ratio * stamp[0]:
        raise archive_error(ArchiveProblem.SUSPICIOUS_RATIO, limits)
    return Archive(path, tuple(entry for entry in entries if not entry.is_folder), stamp, limits)


def read_member(path: Path, stamp: tuple[int, int], entry: Entry, limits: ArchiveLimits) -> Iterator[bytes]:
    """Unpack one member, a piece of at most 256 KiB at a time.

    The last piece is followed by the check of length and CRC-32, so use nothing before the iterator has ended.

    Raises
    ------
    RecordingError
        The member is encrypted, too large, suspiciously compressible, of an unknown method, damaged, or no file.
    """
    if entry.is_link:
        raise recording_error(RecordingProblem.LINK)
    if entry.encrypted:
        raise recording_error(RecordingProblem.ENCRYPTED)
    if entry.method not in (STORED, DEFLATED):
        raise recording_error(RecordingProblem.UNSUPPORTED_COMPRESSION)
    if entry.size_bytes > limits.member_bytes:
        raise recording_error(RecordingProblem.TOO_LARGE, limit_gb=limits.member_bytes / _GIB)
    try:
        with path.open("rb") as file:
            if _stamp(file) != stamp:
                raise recording_error(RecordingProblem.CHANGED)
            yield from _checked(_unpack(file, entry), entry, limits)
    except FileNotFoundError as error:
        raise recording_error(RecordingProblem.MISSING) from error
    except OSError as error:
        raise recording_error(RecordingProblem.NO_ACCESS) from error


def _checked(pieces: Iterator[bytes], entry: Entry, limits: ArchiveLimits) -> Iterator[bytes]:
    size = 0
    crc32 = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > entry.size_bytes:
                raise recording_error(RecordingProblem.CORRUPT_MEMBER)
            if size > limits.ratio_from_bytes and size > limits.ratio * entry.compressed_bytes:
                raise recording_error(RecordingProblem.SUSPICIOUS_RATIO)
            crc32 = zlib.crc32(piece, crc32)
            yield piece
    except (zlib.error, EOFError) as error:
        raise recording_error(RecordingProblem.CORRUPT_MEMBER) from error
    if size != entry.size_bytes or crc32 != entry.crc32:
        raise recording_error(RecordingProblem.CORRUPT_MEMBER)


def _unpack(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    if entry.header_offset > os.fstat(file.fileno()).st_size:
        raise EOFError
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\3\4"):
        raise EOFError
    name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)[-2:]
    file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    remaining = entry.compressed_bytes
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
    while remaining > 0:
        packed = file.read(min(_PIECE_BYTES, remaining))
        if not packed:
            raise EOFError
        remaining -= len(packed)
        if inflater is None:
            yield packed
            continue
        while packed:
            yield inflater.decompress(packed, _PIECE_BYTES)
            packed = inflater.unconsumed_tail
        # What follows the end would pile up in the inflater.
        if inflater.eof:
            return
    if inflater is not None:
        yield inflater.flush()
        if not inflater.eof:
            raise EOFError


def _possible_bytes(entry: Entry, archive_bytes: int) -> int:
    """Return the most that a member can unpack to, whichever of its claims is true."""
    packed = min(entry.compressed_bytes, archive_bytes)
    return min(entry.size_bytes, packed * (_MAX_DEFLATE_RATIO if entry.method == DEFLATED else 1))


def _stamp(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
