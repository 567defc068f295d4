"""M4A, MP4 and AAC through PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.ingest.makers import opened, read, tone
from voicegauge.errors import RecordingError

_RATE_HZ = 44_100


def _aac(path: Path, container_format: str, options: dict[str, str] | None = None) -> bytes:
    samples = np.ascontiguousarray(tone(2.0, channels=2, rate_hz=_RATE_HZ).T)
    with av.open(str(path), "w", format=container_format, options=options or {}) as container:
        stream = container.add_stream("aac", rate=_RATE_HZ, layout="stereo")
        for start in range(0, samples.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout="stereo"
            )
            frame.sample_rate = _RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _aac(tmp_path_factory.mktemp("aac") / "take", "mp4")


@pytest.fixture(scope="module")
def m4a_index_first(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _aac(tmp_path_factory.mktemp("aac") / "take", "mp4", options={"movflags": "faststart"})


@pytest.fixture(scope="module")
def adts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _aac(tmp_path_factory.mktemp("aac") / "take", "adts")


def _code(folder: Path, content: bytes) -> str:
    with pytest.raises(RecordingError) as caught:
        read(opened(folder, content, "take.m4a"))
    return caught.value.code


def test_m4a(m4a: bytes, tmp_path: Path) -> None:
    recording = opened(tmp_path, m4a, "take.m4a")
    assert (recording.rate_hz, recording.channels, recording.findings) == (_RATE_HZ, 2, ())
    decoded = read(recording)
    assert decoded.dtype == np.float32
    assert len(decoded) / _RATE_HZ == pytest.approx(2.0, abs=0.05)
    wanted = tone(2.0, channels=2, rate_hz=_RATE_HZ)
    for channel in range(2):
        assert np.corrcoef(decoded[: len(wanted), channel], wanted[:, channel])[0, 1] > 0.99
    assert np.array_equal(read(recording), decoded)


def test_adts(adts: bytes, tmp_path: Path) -> None:
    for content in (adts, b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + adts):
        recording = opened(tmp_path, content, "take.aac")
        assert (recording.rate_hz, recording.channels) == (_RATE_HZ, 2)
        assert len(read(recording)) / _RATE_HZ == pytest.approx(2.0, abs=0.1)


def test_a_missing_end(m4a: bytes, m4a_index_first: bytes, adts: bytes, tmp_path: Path) -> None:
    cut = opened(tmp_path, m4a_index_first[: len(m4a_index_first) * 2 // 3], "take.m4a")
    assert [finding.kind for finding in cut.findings] == ["truncated"]
    assert 0.8 < len(read(cut)) / _RATE_HZ < 1.6
    assert _code(tmp_path, m4a[: len(m4a) // 2]) == "unreadable"
    assert 0.8 < len(read(opened(tmp_path, adts[: len(adts) // 2]))) / _RATE_HZ < 1.2


def test_damage_in_the_middle(adts: bytes, tmp_path: Path) -> None:
    middle = len(adts) // 2
    assert _code(tmp_path, adts[:middle] + b"\xff\xf1" * 400 + adts[middle + 800 :]) == "damaged"


def test_nothing_to_hear(tmp_path: Path) -> None:
    assert _code(tmp_path, bytes([0, 0, 0, 16]) + b"ftypM4A " + bytes(4)) == "unreadable"
    assert _code(tmp_path, b"\xff\xf1" + bytes(500)) == "unreadable"


def test_without_pyav_the_message_names_the_extra(m4a: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "voicegauge.ingest.aac", raising=False)
    with pytest.raises(RecordingError) as caught:
        opened(tmp_path, m4a, "take.m4a")
    assert caught.value.code == "needs_m4a_support"
    for message in (caught.value.message_zh, caught.value.message_en):
        assert 'pip install "voicegauge[m4a]"' in message
