"""Audio files of every kind, whole, cut, lying and damaged."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.unit.ingest.makers import RATE_HZ, encoded, opened, pcm16, read, tone, wav, wav_layout, write
from voicegauge.errors import RecordingError
from voicegauge.ingest.decode import open_recording
from voicegauge.ingest.problems import RecordingProblem

_PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")


def _problem(folder: Path, content: bytes, name: str = "take.wav") -> str:
    with pytest.raises(RecordingError) as caught:
        read(opened(folder, content, name))
    assert caught.value.message_zh
    assert caught.value.message_en
    return caught.value.code


@pytest.mark.parametrize(
    ("format_", "subtype", "tolerance"),
    [
        ("WAV", "PCM_U8", 1e-2),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 0),
        ("WAV", "DOUBLE", 0),
        ("WAV", "ULAW", 2e-2),
        ("WAVEX", "PCM_24", 1e-6),
        ("RF64", "PCM_16", 1e-4),
        ("W64", "PCM_16", 1e-4),
        ("FLAC", "PCM_16", 1e-4),
        ("FLAC", "PCM_24", 1e-6),
        ("AIFF", "PCM_16", 1e-4),
        ("CAF", "PCM_16", 1e-4),
        ("CAF", "ALAC_16", 1e-4),
        ("AU", "PCM_16", 1e-4),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_keeps_every_sample(format_: str, subtype: str, tolerance: float, channels: int, tmp_path: Path) -> None:
    samples = tone(channels=channels)
    recording = opened(tmp_path, encoded(samples, format_, subtype), "take.bin")
    assert (recording.rate_hz, recording.channels, recording.findings) == (RATE_HZ, channels, ())
    decoded = read(recording)
    assert decoded.dtype == np.float32
    assert decoded.shape == samples.shape
    assert np.abs(decoded - samples).max() <= tolerance


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_decodes_ogg(subtype: str, tmp_path: Path) -> None:
    samples = tone(1.0)
    decoded = read(opened(tmp_path, encoded(samples, "OGG", subtype)))
    assert decoded.shape == samples.shape
    assert np.corrcoef(decoded[:, 0], samples[:, 0])[0, 1] > 0.99


def test_decodes_headers_written_by_hand(tmp_path: Path) -> None:
    samples = tone()
    data = pcm16(samples)
    extensible = wav_layout(tag=0xFFFE) + struct.pack("<HHI", 22, 16, 4) + _PCM_GUID
    long_lengths = b"ds64" + struct.pack("<IQQQI", 28, len(data) + 80, len(data), len(samples), 0)
    for content in (
        wav(data),
        wav(data, extensible),
        wav(data, before=b"JUNK" + struct.pack("<I", 3) + b"odd\0"),
        wav(data, before=long_lengths, declared=0xFFFFFFFF, magic=b"RF64"),
        wav(data, after=b"LIST" + struct.pack("<I", 4) + b"INFO"),
    ):
        recording = opened(tmp_path, content)
        assert recording.findings == ()
        assert np.abs(read(recording) - samples).max() < 1e-4


def test_decodes_eight_bits_around_128(tmp_path: Path) -> None:
    decoded = read(opened(tmp_path, wav(bytes([128, 255, 0, 64]), wav_layout(bits=8))))
    assert np.allclose(decoded[:, 0], [0, 127 / 128, -1, -0.5])


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_wav_from_a_pipe_is_whole(declared: int, tmp_path: Path) -> None:
    recording = opened(tmp_path, wav(pcm16(tone()), declared=declared))
    assert recording.findings == ()
    assert len(read(recording)) == RATE_HZ // 2


def test_a_recording_can_be_read_twice_at_once(tmp_path: Path) -> None:
    recording = opened(tmp_path, encoded(tone(2.0), "FLAC"))
    first, second = recording.open_blocks(), recording.open_blocks()
    pairs = list(zip(first, second, strict=True))
    assert len(pairs) == 2
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_blocks_stay_small(tmp_path: Path) -> None:
    data = bytes(2 * 64 * 40_000)
    blocks = list(opened(tmp_path, wav(data, wav_layout(channels=64, rate_hz=192_000))).open_blocks())
    assert max(block.nbytes for block in blocks) <= 4 << 20
    assert sum(map(len, blocks)) == 40_000


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("format_", ["WAV", "WAVEX", "RF64", "AIFF"])
def test_a_missing_end_is_found_and_the_rest_decoded(format_: str, subtype: str, tmp_path: Path) -> None:
    samples = tone(2.0)
    whole = encoded(samples, format_, subtype)
    recording = opened(tmp_path, whole[: len(whole) // 2])
    (finding,) = recording.findings
    assert finding.kind == "truncated"
    if format_ != "AIFF":
        assert "1.0 s" in finding.message.en
        assert "1.0 秒" in finding.message.zh
    decoded = read(recording)
    assert abs(len(decoded) - RATE_HZ) < 100
    assert np.abs(decoded - samples[: len(decoded)]).max() < 1e-4


@pytest.mark.parametrize(
    ("format_", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)]
)
def test_a_missing_end_of_a_compressed_file_is_found(format_: str, subtype: str | None, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (3 * RATE_HZ, 1)).astype(np.float32)
    whole = encoded(noise, format_, subtype)
    recording = opened(tmp_path, whole[: len(whole) * 2 // 3])
    assert [finding.kind for finding in recording.findings] == ["truncated"]
    # An Ogg page, up to a second long, is lost as a whole.
    assert RATE_HZ // 2 <= len(read(recording)) <= 2 * RATE_HZ + 4096
    assert opened(tmp_path, whole).findings == ()


def test_a_tag_before_a_flac_is_skipped(tmp_path: Path) -> None:
    samples = tone()
    recording = opened(tmp_path, b"ID3\4\0\0\0\0\1\0" + bytes(128) + encoded(samples, "FLAC"))
    assert recording.findings == ()
    assert np.abs(read(recording) - samples).max() < 1e-4


def test_a_recorder_that_never_wrote_the_length_loses_nothing(tmp_path: Path) -> None:
    samples = tone()
    recording = opened(tmp_path, wav(pcm16(samples), declared=0))
    assert [finding.kind for finding in recording.findings] == ["truncated"]
    assert np.abs(read(recording) - samples).max() < 1e-4


def test_an_empty_data_chunk_before_another_chunk_is_empty(tmp_path: Path) -> None:
    assert _problem(tmp_path, wav(b"", after=b"LIST" + struct.pack("<I", 4) + b"INFO")) == "empty"


def test_a_flac_damaged_in_the_middle_says_where(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (4 * RATE_HZ, 1)).astype(np.float32)
    content = bytearray(encoded(noise, "FLAC"))
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    recording = opened(tmp_path, bytes(content))
    assert recording.findings == ()
    with pytest.raises(RecordingError, match=r"near 1\.0 s") as caught:
        read(recording)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (wav(b""), "empty"),
        (b"hello, this is my homework " * 40, "not_audio"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not_audio"),
        (b"PK\3\4" + bytes(500), "not_audio"),
        ("你好".encode("utf-16") * 100, "not_audio"),
        (b"RIFF" + struct.pack("<I", 500) + b"AVI " + bytes(500), "not_audio"),
        (b"fLaC" + bytes(500), "unreadable"),
        (b"OggS" + bytes(500), "unreadable"),
        (b"caff" + bytes(500), "unreadable"),
        (b"ID3\4\0\0\0\0\0\0" + bytes(500), "unreadable"),
        (wav(bytes(100))[:30], "unreadable"),
        (wav(bytes(100))[:44], "unreadable"),
        (wav(bytes(100), wav_layout(tag=0x161)), "unreadable"),
        (wav(bytes(100), wav_layout(rate_hz=0)), "unreadable"),
        (wav(bytes(100), wav_layout(channels=0)), "unreadable"),
        (wav(bytes(1000), wav_layout(rate_hz=7_999)), "unsupported_rate"),
        (wav(bytes(1000), wav_layout(rate_hz=192_001)), "unsupported_rate"),
        (wav(bytes(1000), wav_layout(channels=65)), "too_many_channels"),
        (b"#!AMR\n" + bytes(500), "unsupported_format"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(500), "unsupported_format"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), "unsupported_format"),
    ],
)
def test_what_cannot_be_judged_has_a_code(content: bytes, code: str, tmp_path: Path) -> None:
    assert _problem(tmp_path, content) == code


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 96_000, 192_000])
def test_every_rate_from_8_to_192_khz(rate_hz: int, tmp_path: Path) -> None:
    assert opened(tmp_path, wav(bytes(1000), wav_layout(rate_hz=rate_hz))).rate_hz == rate_hz


def test_a_lying_header_allocates_nothing(tmp_path: Path) -> None:
    """64 channels and 2^61 bytes in an RF64 header; 2^36 samples in a FLAC header."""
    lengths = b"ds64" + struct.pack("<IQQQI", 28, 2**62, 2**61, 2**60, 0)
    layout = wav_layout(channels=64, rate_hz=192_000)
    huge_wav = wav(bytes(12_800), layout, before=lengths, declared=0xFFFFFFFF, magic=b"RF64")
    flac = bytearray(encoded(tone(), "FLAC"))
    flac[21] |= 0xF
    flac[22:26] = b"\xff" * 4
    tracemalloc.start()
    try:
        wav_recording = opened(tmp_path, huge_wav)
        assert len(read(wav_recording)) == 100
        flac_recording = opened(tmp_path, bytes(flac), "take.flac")
        assert len(read(flac_recording)) == RATE_HZ // 2
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    for recording in (wav_recording, flac_recording):
        assert [finding.kind for finding in recording.findings] == ["truncated"]


def test_a_change_between_two_passes_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, wav(pcm16(tone())))
    recording = open_recording(path, name="take.wav")
    assert len(read(recording))
    path.write_bytes(wav(pcm16(tone(0.25))))
    with pytest.raises(RecordingError) as caught:
        read(recording)
    assert caught.value.code == RecordingProblem.CHANGED


def test_a_change_within_a_pass_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, wav(pcm16(tone(3.0))))
    blocks = open_recording(path, name="take.wav").open_blocks()
    next(blocks)
    with path.open("ab") as file:
        file.write(bytes(100))
    with pytest.raises(RecordingError) as caught:
        list(blocks)
    assert caught.value.code == RecordingProblem.CHANGED


def test_files_that_cannot_be_opened_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RecordingError) as missing:
        open_recording(tmp_path / "gone.wav", name="gone.wav")
    assert missing.value.code == RecordingProblem.MISSING
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(RecordingError) as pipe:
        open_recording(tmp_path / "pipe.wav", name="pipe.wav")
    assert pipe.value.code == RecordingProblem.NOT_AUDIO
    with pytest.raises(RecordingError) as folder:
        open_recording(tmp_path, name="folder.wav")
    assert folder.value.code == RecordingProblem.NOT_AUDIO


def test_invalid_samples_are_passed_on(tmp_path: Path) -> None:
    samples = np.array([[0.5], [np.nan], [np.inf], [3.0]], dtype=np.float32)
    assert np.array_equal(read(opened(tmp_path, encoded(samples, "WAV", "FLOAT"))), samples, equal_nan=True)
