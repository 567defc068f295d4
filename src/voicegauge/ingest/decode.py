"""Audio files as streams of samples."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import soundfile

from voicegauge.assessment.recording import Blocks, Recording, Samples
from voicegauge.ingest.containers import Container, Decoder, inspect
from voicegauge.ingest.problems import RecordingProblem, recording_error, truncated
from voicegauge.ingest.streams import DecodingError, Stream, block_frames

__all__ = ["open_recording"]

_MIN_RATE_HZ = 8_000
_MAX_RATE_HZ = 192_000
_MAX_CHANNELS = 64
_SALVAGE_FRAMES = 1_024
_ENDLESS_BYTES = 1 << 40

_Stamp = tuple[int, int, int]


def open_recording(path: Path, *, name: str) -> Recording:
    """Open an audio file as a recording that is decoded a block at a time, each pass from the file.

    Memory is bounded by the block (1 s, 65,536 frames or 4 MiB, whichever is least), whatever the headers claim.
    A file whose end is missing carries a `truncated` finding, and gives what is there.

    Parameters
    ----------
    path : Path
        WAV, RF64, FLAC, MP3, OGG, AIFF, CAF, or M4A where PyAV is installed; recognised by content.
    name : str
        How results name the recording.

    Returns
    -------
    Recording
        8 to 192 kHz, 1 to 64 channels. Its blocks raise RecordingError where the file is damaged in the middle, or
        has changed since it was opened.

    Raises
    ------
    RecordingError
        With a code of :class:`~voicegauge.ingest.problems.RecordingProblem`.
    """
    with _open_file(path) as file:
        stamp = _stamp(file)
        if stamp[1] == 0:
            raise recording_error(RecordingProblem.EMPTY)
        container = inspect(file)
        try:
            with _open_stream(file, container) as stream:
                rate_hz, channels = stream.rate_hz, stream.channels
        except DecodingError as error:
            problem = RecordingProblem.UNREADABLE if container.kind else RecordingProblem.NOT_AUDIO
            raise recording_error(problem) from error
        if container.kind == "FLAC" and not container.truncated and not _has_end(file, container):
            container = replace(container, truncated=True)
    if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
        raise recording_error(RecordingProblem.UNSUPPORTED_RATE, rate_hz=rate_hz)
    if not 1 <= channels <= _MAX_CHANNELS:
        raise recording_error(RecordingProblem.TOO_MANY_CHANNELS, channels=channels)
    findings = (truncated(container.missing_s),) if container.truncated else ()
    return Recording(
        name, rate_hz, channels, lambda: _read_pass(path, container, stamp, rate_hz, channels), None, findings
    )


def _read_pass(path: Path, container: Container, stamp: _Stamp, rate_hz: int, channels: int) -> Blocks:
    frames = 0
    with _open_file(path) as file:
        try:
            if _stamp(file) != stamp:
                raise recording_error(RecordingProblem.CHANGED)
            with _open_stream(file, container) as stream:
                for block in stream.blocks():
                    if block.shape[1] != channels:
                        raise DecodingError
                    frames += len(block)
                    yield block
        except DecodingError as error:
            if _stamp(file) != stamp:
                raise recording_error(RecordingProblem.CHANGED) from error
            if not frames:
                raise recording_error(RecordingProblem.UNREADABLE) from error
            if not container.truncated:
                raise recording_error(RecordingProblem.DAMAGED, at_s=frames / rate_hz) from error
        if _stamp(file) != stamp:
            raise recording_error(RecordingProblem.CHANGED)
    if not frames:
        raise recording_error(RecordingProblem.UNREADABLE if container.truncated else RecordingProblem.EMPTY)


@contextmanager
def _open_file(path: Path) -> Iterator[BinaryIO]:
    try:
        # A pipe or device would block for ever when it is opened.
        if not stat.S_ISREG(path.stat().st_mode):
            raise recording_error(RecordingProblem.NOT_AUDIO)
        # soundfile looks at a file's name, and refuses some suffixes; a bare descriptor has none.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise recording_error(RecordingProblem.MISSING) from error
    except OSError as error:
        raise recording_error(RecordingProblem.NO_ACCESS) from error


def _stamp(file: BinaryIO) -> _Stamp:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _open_stream(file: BinaryIO, container: Container) -> Iterator[Stream]:
    if container.decoder is Decoder.NONE:
        raise recording_error(RecordingProblem.UNSUPPORTED_FORMAT, kind=container.kind)
    if container.decoder is Decoder.SNDFILE:
        stream = _SndfileStream(file, container)
        with stream.sound:
            yield stream
        return
    try:
        from voicegauge.ingest.aac import open_aac
    except ImportError as error:
        raise recording_error(RecordingProblem.NEEDS_M4A_SUPPORT) from error
    with open_aac(file, container.decoder) as aac_stream:
        yield aac_stream


class _SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc] # soundfile is not typed
    """A sound file that is read from front to back.

    soundfile seeks after every read of a seekable file, which costs time and makes an MP3 decoder start afresh.
    """

    def seekable(self) -> bool:
        return False


class _SndfileStream:
    def __init__(self, file: BinaryIO, container: Container) -> None:
        try:
            self.sound = _SequentialSoundFile(_Overlaid(file, container))
        except soundfile.SoundFileError as error:
            raise DecodingError from error
        self.rate_hz: int = self.sound.samplerate
        self.channels: int = self.sound.channels
        # What the decoder has got of a block is lost where it fails, so short blocks save more of a cut FLAC file.
        salvage = container.truncated and container.kind == "FLAC"
        self._frames = _SALVAGE_FRAMES if salvage else block_frames(self.rate_hz, self.channels)

    def blocks(self) -> Blocks:
        while True:
            try:
                block: Samples = self.sound.read(self._frames, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                raise DecodingError from error
            if not len(block):
                return
            yield block


def _has_end(file: BinaryIO, container: Container) -> bool:
    """Tell whether the last sample that a FLAC header promises can be decoded; True where it promises none."""
    try:
        with soundfile.SoundFile(_Overlaid(file, container)) as sound:
            if sound.frames in (0, 2**63 - 1):
                return True
            sound.seek(sound.frames - 1)
            return len(sound.read(1)) == 1
    except soundfile.SoundFileError:
        return False


class _Overlaid:
    """A file as the decoder shall see it: tags in front left out, headers corrected, no end to guess from."""

    def __init__(self, file: BinaryIO, container: Container) -> None:
        self._file = file
        self._container = container
        self._start = container.skip_bytes
        self._size = os.fstat(file.fileno()).st_size
        file.seek(self._start)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        # Damaged files send the decoder anywhere; soundfile prints an exception raised here instead of passing it on.
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._size}[whence]
        return self._file.seek(min(max(self._start, base + offset), self._size)) - self._start

    def tell(self) -> int:
        position = self._file.tell()
        return _ENDLESS_BYTES if self._container.endless and position == self._size else position - self._start

    def read(self, count: int) -> bytes:
        start = self._file.tell()
        content = self._file.read(count)
        for offset, shown in self._container.overlay.items():
            at = offset - start
            if -len(shown) < at < len(content):
                first, last = max(at, 0), min(at + len(shown), len(content))
                content = content[:first] + shown[first - at : last - at] + content[last:]
        return content
