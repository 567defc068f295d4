"""One recording that was found, not yet opened: cheap, and picklable for a worker process."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from voicegauge.assessment.recording import Recording
from voicegauge.errors import MachineError, RecordingError
from voicegauge.ingest.archive import ArchiveLimits, read_member
from voicegauge.ingest.decode import open_recording
from voicegauge.ingest.problems import transcript_unreadable
from voicegauge.ingest.transcripts import MAX_TRANSCRIPT_BYTES, decode_transcript
from voicegauge.ingest.zipdir import Entry

__all__ = ["FileSource", "MemberSource", "Source", "UnreadableSource"]


@dataclass(frozen=True)
class FileSource:
    """A recording in a file of its own."""

    name: str
    size_bytes: int
    path: Path
    transcript_path: Path | None = None

    @contextmanager
    def open(self) -> Iterator[Recording]:
        """Open the recording, with its transcript; raises RecordingError."""
        recording = open_recording(self.path, name=self.name)
        if (path := self.transcript_path) is not None:
            recording = _with_transcript(recording, lambda: _read_file(path))
        yield recording


@dataclass(frozen=True)
class MemberSource:
    """A recording inside a zip."""

    name: str
    size_bytes: int
    archive_path: Path
    archive_stamp: tuple[int, int]
    limits: ArchiveLimits
    entry: Entry
    transcript_entry: Entry | None = None

    @contextmanager
    def open(self) -> Iterator[Recording]:
        """Unpack the recording to a private temporary file for as long as the context lasts.

        Raises
        ------
        RecordingError
        MachineError
            The temporary file cannot be written.
        """
        with _temporary_file(self._pieces(self.entry)) as path:
            recording = open_recording(path, name=self.name)
            if (entry := self.transcript_entry) is not None:
                recording = _with_transcript(recording, lambda: _join(self._pieces(entry)))
            yield recording

    def _pieces(self, entry: Entry) -> Iterator[bytes]:
        return read_member(self.archive_path, self.archive_stamp, entry, self.limits)


@dataclass(frozen=True)
class UnreadableSource:
    """Something that nobody can get recordings out of, kept so that the result names it."""

    name: str
    size_bytes: int
    error: RecordingError

    def open(self) -> AbstractContextManager[Recording]:
        """Raise its RecordingError."""
        raise RecordingError(self.error.code, self.error.message_zh, self.error.message_en)


Source: TypeAlias = FileSource | MemberSource | UnreadableSource


def _with_transcript(recording: Recording, read: Callable[[], bytes]) -> Recording:
    try:
        return replace(recording, transcript=decode_transcript(read()) or None)
    except (OSError, ValueError, RecordingError):
        return replace(recording, findings=(*recording.findings, transcript_unreadable()))


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_TRANSCRIPT_BYTES + 1)


def _join(pieces: Iterable[bytes]) -> bytes:
    joined = bytearray()
    for piece in pieces:
        joined += piece
        if len(joined) > MAX_TRANSCRIPT_BYTES:
            break
    return bytes(joined)


@contextmanager
def _temporary_file(pieces: Iterable[bytes]) -> Iterator[Path]:
    try:
        descriptor, name = tempfile.mkstemp(prefix="voicegauge-")
    except OSError as error:
        raise _no_room(error) from error
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for piece in pieces:
                _write(file, piece)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write(file: io.FileIO, piece: bytes) -> None:
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> MachineError:
    return MachineError(
        f"{tempfile.gettempdir()}: a recording cannot be unpacked there: {error.strerror}; free space, or set TMPDIR"
    )
