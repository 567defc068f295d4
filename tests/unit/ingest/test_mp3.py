"""MP3 lengths come from decoding: encoders' tags and bit rates lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.ingest.makers import RATE_HZ, encoded, opened, read
from voicegauge.assessment.recording import Samples
from voicegauge.errors import RecordingError

_SECONDS = 4


def _speechlike() -> Samples:
    """Two seconds of silence, two of noise: a variable bit rate goes from low to high."""
    noise = np.random.default_rng(1).normal(0, 0.1, (_SECONDS * RATE_HZ, 1)).astype(np.float32)
    noise[: 2 * RATE_HZ] = 0
    return noise


@pytest.fixture(scope="module")
def mp3() -> bytes:
    return encoded(_speechlike(), "MP3")


def _tag_at(mp3: bytes) -> int:
    return max(mp3.find(b"Xing"), mp3.find(b"Info"))


def _length_s(folder: Path, content: bytes) -> float:
    return len(read(opened(folder, content, "take.mp3"))) / RATE_HZ


def test_a_whole_file(mp3: bytes, tmp_path: Path) -> None:
    recording = opened(tmp_path, mp3, "take.mp3")
    decoded = read(recording)
    assert recording.findings == ()
    assert len(decoded) / RATE_HZ == pytest.approx(_SECONDS, abs=0.1)
    assert np.corrcoef(decoded[2 * RATE_HZ : 4 * RATE_HZ, 0], _speechlike()[2 * RATE_HZ :, 0])[0, 1] > 0.8


@pytest.mark.parametrize("frames", [0, 3, 10_000_000])
def test_a_wrong_frame_count_is_not_believed(frames: int, mp3: bytes, tmp_path: Path) -> None:
    at = _tag_at(mp3) + 8
    assert _length_s(tmp_path, mp3[:at] + frames.to_bytes(4, "big") + mp3[at + 4 :]) == pytest.approx(_SECONDS, abs=0.1)


def test_a_tag_without_a_frame_count_is_not_needed(mp3: bytes, tmp_path: Path) -> None:
    at = _tag_at(mp3) + 4
    assert _length_s(tmp_path, mp3[:at] + bytes(4) + mp3[at + 4 :]) == pytest.approx(_SECONDS, abs=0.15)


@pytest.mark.parametrize("tag", [bytes(4), b"VBRI"])
def test_no_tag_and_a_first_frame_of_silence(tag: bytes, mp3: bytes, tmp_path: Path) -> None:
    at = _tag_at(mp3)
    assert _length_s(tmp_path, mp3[:at] + tag + mp3[at + 4 :]) == pytest.approx(_SECONDS, abs=0.15)


def test_joined_files_are_read_to_the_end(mp3: bytes, tmp_path: Path) -> None:
    assert _length_s(tmp_path, mp3 + mp3) == pytest.approx(2 * _SECONDS, abs=0.2)


def test_tags_and_padding_around_the_sound(mp3: bytes, tmp_path: Path) -> None:
    front = b"ID3\4\0\0\0\0\x20\0" + bytes(4096) + bytes(700)
    assert _length_s(tmp_path, front + mp3 + b"TAG" + bytes(125)) == pytest.approx(_SECONDS, abs=0.1)


def test_garbage_in_the_middle_is_damage(mp3: bytes, tmp_path: Path) -> None:
    middle = len(mp3) * 3 // 4
    with pytest.raises(RecordingError) as caught:
        _length_s(tmp_path, mp3[:middle] + bytes(3000) + mp3[middle:])
    assert caught.value.code == "damaged"
