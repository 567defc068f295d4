"""The silero stream against a plain loop over the whole recording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from voicegauge.assessment.recording import Samples
from voicegauge.models import load_models
from voicegauge.models.files import SILERO_VAD, checked_path


@pytest.fixture(scope="module")
def voice_activity() -> VoiceActivity:
    return load_models().voice_activity


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(checked_path(SILERO_VAD)), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def expected(session: onnxruntime.InferenceSession) -> npt.NDArray[np.float32]:
    return plain_loop(session, voice_like(20_000))


def plain_loop(session: onnxruntime.InferenceSession, samples: Samples) -> npt.NDArray[np.float32]:
    padded = np.concatenate((np.zeros(64), samples, np.zeros(-len(samples) % 512))).astype(np.float32)
    state = np.zeros((2, 1, 128), np.float32)
    probabilities = []
    for end in range(576, len(padded) + 1, 512):
        inputs = {"input": padded[end - 576 : end].reshape(1, 576), "state": state, "sr": np.array(16_000, np.int64)}
        probability, state = session.run(None, inputs)
        probabilities.append(float(probability.item()))
    return np.array(probabilities, np.float32)


def voice_like(length: int) -> Samples:
    """A pulse train through two formants, on for half of every 800 ms."""
    rng = np.random.default_rng(7)
    pulses = np.zeros(length)
    pulses[:: 16_000 // 120] = 1.0
    times_s = np.arange(400) / 16_000
    formants = np.zeros(400)
    for formant_hz in (600, 1_200, 2_600):
        formants += np.exp(-300 * times_s) * np.sin(2 * np.pi * formant_hz * times_s)
    on = (np.arange(length) // 6_400) % 2 == 0
    voice = 0.3 * np.convolve(pulses, formants)[:length] * on
    return np.asarray(voice + 0.003 * rng.standard_normal(length), np.float32)


def streamed(voice_activity: VoiceActivity, samples: Samples, block: int) -> npt.NDArray[np.float32]:
    stream = voice_activity.open_stream()
    parts = [stream.push(samples[start : start + block]) for start in range(0, len(samples), block)]
    return np.concatenate([*parts, stream.finish()])


@pytest.mark.parametrize("block", [511, 512, 513, 7_919, 20_000])
def test_any_blocks_give_what_a_plain_loop_gives(
    voice_activity: VoiceActivity, expected: npt.NDArray[np.float32], block: int
) -> None:
    np.testing.assert_array_equal(streamed(voice_activity, voice_like(20_000), block), expected)
    assert expected.max() > 0.5 > expected.min()


def test_samples_may_come_one_by_one(voice_activity: VoiceActivity, session: onnxruntime.InferenceSession) -> None:
    samples = voice_like(1_500)
    np.testing.assert_array_equal(streamed(voice_activity, samples, 1), plain_loop(session, samples))


def test_only_a_begun_frame_is_finished(voice_activity: VoiceActivity) -> None:
    empty, whole, begun = voice_activity.open_stream(), voice_activity.open_stream(), voice_activity.open_stream()
    assert empty.finish().shape == (0,)
    assert whole.push(voice_like(1_024)).shape == (2,)
    assert whole.finish().shape == (0,)
    assert begun.push(voice_like(1_025)).shape == (2,)
    assert begun.finish().shape == (1,)


def test_streams_do_not_share_state(voice_activity: VoiceActivity) -> None:
    samples = voice_like(8_192)
    alone = voice_activity.open_stream().push(samples)
    first, second = voice_activity.open_stream(), voice_activity.open_stream()
    together = [(first.push(samples[i : i + 512]), second.push(-samples[i : i + 512])) for i in range(0, 8_192, 512)]
    np.testing.assert_array_equal(np.concatenate([one for one, _ in together]), alone)
