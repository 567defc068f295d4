"""Whatever the bytes are, only our errors come out, and memory stays bounded."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.ingest.makers import Member, encoded, pcm16, tone, wav, write, zipped, zipped64
from voicegauge.errors import ArchiveError, RecordingError
from voicegauge.ingest.decode import open_recording
from voicegauge.ingest.sources import collect_archive

_WAV = wav(pcm16(tone(0.1)))
_ZIP_SEEDS = (
    zipped(("1.wav", _WAV), ("1.txt", b"one"), Member("二.wav".encode("gbk"), _WAV, method=0), comment=b"hello"),
    zipped64(("1.wav", _WAV), ("2.wav", _WAV)),
)
_AUDIO_SEEDS = (
    _WAV,
    encoded(tone(0.1), "RF64", "PCM_24"),
    encoded(tone(0.1, channels=2), "WAVEX", "FLOAT"),
    encoded(tone(0.2), "FLAC"),
    encoded(tone(0.1), "AIFF"),
)
_MAGICS = (b"", b"RIFF1234WAVEfmt ", b"ID3\4\0\0", b"OggS", b"FORM1234AIFF", b"caff", b"\0\0\0\x10ftyp", b"\xff\xf1")
_MOST_BYTES = 24 << 20

# The same examples in every run: a decoder's crash found by chance would be nobody's to repeat.
_fuzz = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def _mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(content) - 1))
        replacement = draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 4, bytes(4)])))
        content[at : at + len(replacement)] = replacement
    return bytes(content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < _MOST_BYTES
    finally:
        tracemalloc.stop()


@_fuzz
@given(content=_mutated(_ZIP_SEEDS))
def test_mutated_zips(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, content, "upload")
    with _bounded_memory(), contextlib.suppress(ArchiveError):
        for source in collect_archive(path).sources:
            with contextlib.suppress(RecordingError), source.open() as recording:
                assert sum(map(len, recording.open_blocks())) <= len(_WAV)


@_fuzz
@given(content=_mutated(_AUDIO_SEEDS))
def test_mutated_recordings(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, content)
    with _bounded_memory(), contextlib.suppress(RecordingError):
        recording = open_recording(path, name="take")
        for block in recording.open_blocks():
            assert block.shape[1] == recording.channels


@_fuzz
@given(
    content=st.binary(max_size=2000),
    magic=st.sampled_from([b"", b"RIFF1234WAVEfmt ", b"ID3", b"OggS", b"FORM", b"caff"]),
)
def test_any_bytes(content: bytes, magic: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, magic + content)
    with contextlib.suppress(RecordingError):
        for _ in open_recording(path, name="take").open_blocks():
            pass
    with contextlib.suppress(ArchiveError):
        collect_archive(path)
