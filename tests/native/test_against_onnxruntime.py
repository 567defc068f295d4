"""The compiled core against onnxruntime, window by window, on every SIMD path of this machine."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from voicegauge.assessment.recording import Samples
from voicegauge.errors import ModelError
from voicegauge.models import load_models
from voicegauge.models.dnsmos_native import NativeDnsmosNetwork, load_core, simd_paths
from voicegauge.models.files import DNSMOS_P835, checked_path

RATE_HZ = 16_000
WINDOW = 144_160


def core_is_here() -> bool:
    try:
        load_core()
    except ModelError:
        return False
    return True


pytestmark = pytest.mark.skipif(not core_is_here(), reason="the compiled core was not built: no C++ compiler")

PATHS = simd_paths() if core_is_here() else ()


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(checked_path(DNSMOS_P835)), options, providers=["CPUExecutionProvider"])


def by_windows(session: onnxruntime.InferenceSession, samples: Samples) -> npt.NDArray[np.float32]:
    starts = range(0, len(samples) - WINDOW + 1, RATE_HZ)
    rows = [session.run(None, {"input_1": samples[np.newaxis, start : start + WINDOW]})[0] for start in starts]
    return np.concatenate(rows)


def native(samples: Samples, *, path: str | None = None, threads: int = 1, block: int = 0) -> npt.NDArray[np.float32]:
    network = NativeDnsmosNetwork(checked_path(DNSMOS_P835), threads=threads, simd_path=path)
    stream = network.open_stream()
    block = block or max(1, len(samples))
    for start in range(0, len(samples), block):
        stream.push(samples[start : start + block])
    return stream.finish()


def speech_like(length: int) -> Samples:
    """Pulses at a gliding pitch through moving formants, in syllables, over a little noise."""
    rng = np.random.default_rng(11)
    times_s = np.arange(length) / RATE_HZ
    pulses = np.diff(np.floor(np.cumsum(120 + 25 * np.sin(2 * np.pi * 0.6 * times_s)) / RATE_HZ), prepend=0.0)
    voice = np.zeros(length)
    decay_s = np.arange(500) / RATE_HZ
    for formant_hz, level in ((520, 1.0), (1_350, 0.5), (2_600, 0.25), (5_100, 0.05)):
        ring = np.exp(-350 * decay_s) * np.sin(2 * np.pi * formant_hz * decay_s)
        voice += level * np.convolve(pulses, ring)[:length]
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * times_s) + 0.4 * np.sin(2 * np.pi * 0.43 * times_s), 0, None)
    return np.asarray(0.25 * voice * syllables + 3e-4 * rng.standard_normal(length), np.float32)


def music_like(length: int) -> Samples:
    times_s = np.arange(length) / RATE_HZ
    chords = ((220.0, 277.2, 329.6), (246.9, 311.1, 370.0), (196.0, 246.9, 293.7))
    sound = np.zeros(length)
    for i, chord in enumerate(chords):
        played = (times_s // 0.7 % len(chords)) == i
        for note_hz in chord:
            for overtone in range(1, 8):
                sound += played * np.sin(2 * np.pi * note_hz * overtone * times_s) / overtone**1.5
    return np.asarray(0.1 * sound * np.exp(-3 * (times_s % 0.7)), np.float32)


def noise(length: int) -> Samples:
    return np.asarray(0.1 * np.random.default_rng(5).standard_normal(length), np.float32)


def squares(length: int) -> Samples:
    """Full scale."""
    return np.where(np.arange(length) // 40 % 2 == 0, 1, -1).astype(np.float32)


def silence(length: int) -> Samples:
    return np.zeros(length, np.float32)


def faint(length: int) -> Samples:
    return 1e-5 * noise(length)


def bursts(length: int) -> Samples:
    """Random stretches of silence, clicks, tones and noise at random levels."""
    rng = np.random.default_rng(23)
    parts: list[npt.NDArray[np.float64]] = []
    while sum(map(len, parts)) < length:
        n = int(rng.integers(200, 20_000))
        level = 10 ** rng.uniform(-5, 0)
        kind = rng.integers(4)
        tone = np.sin(np.cumsum(np.full(n, rng.uniform(0.01, 3.0))))
        clicks = (rng.random(n) < 0.001).astype(float)
        parts.append(level * (np.zeros(n), clicks, tone, rng.uniform(-1, 1, n))[kind])
    return np.concatenate(parts)[:length].astype(np.float32)


SOUNDS = (speech_like, music_like, noise, squares, silence, faint, bursts)


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.__name__)
def test_every_simd_path_gives_what_onnxruntime_gives(
    session: onnxruntime.InferenceSession, sound: Callable[[int], Samples]
) -> None:
    samples = sound(WINDOW + RATE_HZ + 700)
    expected = by_windows(session, samples)
    for path in PATHS:
        found = native(samples, path=path)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0, err_msg=path)
        np.testing.assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=1e-5, rtol=0, err_msg=path)


def test_a_long_recording_is_right_far_from_its_ends(session: onnxruntime.InferenceSession) -> None:
    samples = speech_like(40 * RATE_HZ + 123)
    found = native(samples, block=30_011)
    assert len(found) == 31
    # One window that starts in the first block of work, two around the cut between blocks, and the last.
    for window in (5, 15, 16, 30):
        expected = by_windows(session, samples[window * RATE_HZ :][:WINDOW])
        np.testing.assert_allclose(found[window : window + 1], expected, atol=1e-4, rtol=0)


def test_both_engines_give_the_same_through_the_port() -> None:
    scores = []
    for models in (load_models(engine="native"), load_models(engine="onnxruntime")):
        stream = models.dnsmos.open_stream()
        stream.push(speech_like(WINDOW))
        scores.append(stream.finish())
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)


def test_threads_and_blocks_do_not_change_a_bit() -> None:
    samples = bursts(28 * RATE_HZ)
    whole = native(samples)
    for threads, block in ((1, 4_001), (2, 0), (3, 160_000)):
        np.testing.assert_array_equal(native(samples, threads=threads, block=block), whole)


def test_every_window_depends_on_its_own_samples_alone() -> None:
    samples = speech_like(12 * RATE_HZ)
    whole = native(samples)
    for window in range(3):
        alone = native(samples[window * RATE_HZ :][:WINDOW])
        np.testing.assert_array_equal(alone[0], whole[window])


@pytest.mark.parametrize("length", [0, 1, WINDOW - 1, WINDOW, WINDOW + RATE_HZ - 1, WINDOW + RATE_HZ])
def test_the_number_of_windows(length: int) -> None:
    assert native(noise(length)).shape == (max(0, (length - WINDOW) // RATE_HZ + 1), 3)


def test_streams_of_one_network_run_side_by_side() -> None:
    network = NativeDnsmosNetwork(checked_path(DNSMOS_P835))
    recordings = [speech_like(WINDOW), noise(WINDOW + RATE_HZ), bursts(WINDOW)]
    found: dict[int, npt.NDArray[np.float32]] = {}

    def score(number: int) -> None:
        stream = network.open_stream()
        stream.push(recordings[number])
        found[number] = stream.finish()

    workers = [threading.Thread(target=score, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number, samples in enumerate(recordings):
        np.testing.assert_array_equal(found[number], native(samples))


def test_a_stream_outlives_its_network() -> None:
    stream = NativeDnsmosNetwork(checked_path(DNSMOS_P835)).open_stream()
    gc.collect()
    stream.push(noise(WINDOW))
    assert stream.finish().shape == (1, 3)


def test_samples_of_another_type_or_stride_are_taken() -> None:
    samples = noise(2 * WINDOW)
    expected = native(samples[::2])
    np.testing.assert_array_equal(native(np.asarray(samples[::2], np.float64)), expected)


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x3a\x10"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot use the model .*model\.onnx: "):
        NativeDnsmosNetwork(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"cannot read /no/such/model\.onnx"):
        NativeDnsmosNetwork(Path("/no/such/model.onnx"))


def test_an_unknown_simd_path_is_named() -> None:
    with pytest.raises(ModelError, match="no SIMD path MMX"):
        NativeDnsmosNetwork(checked_path(DNSMOS_P835), simd_path="MMX")
