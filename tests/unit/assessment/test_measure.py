"""The way of a whole recording through all measurements, with the learned models replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import FakeModels, speech, white_noise
from voicegauge.assessment.assess import measure
from voicegauge.assessment.recording import Recording, Samples, recording_from_array
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Language, Property, Reason, RecordingMeasurements
from voicegauge.errors import RecordingError

RATE_HZ = 16_000


def measured(samples: Samples, rate_hz: int = RATE_HZ, language: Language = "CN") -> RecordingMeasurements:
    return measure(recording_from_array(samples, rate_hz), language=language, models=FakeModels())


@cache
def talk(duration_s: float = 5.0, rate_hz: int = RATE_HZ) -> Samples:
    samples = speech(duration_s, rate_hz=rate_hz) + white_noise(duration_s, rate_hz=rate_hz, power_db=-56)
    samples.flags.writeable = False
    return samples


@cache
def measured_talk() -> RecordingMeasurements:
    """What the others are compared with."""
    return measured(talk())


def cut(samples: Samples, rate_hz: int, block: int) -> Recording:
    def open_blocks() -> Iterator[Samples]:
        for start in range(0, len(samples), block):
            yield samples[start : start + block, None]

    return Recording("cut", rate_hz, 1, open_blocks)


def values(result: RecordingMeasurements) -> dict[Property, float | None]:
    return {prop: measurement.value for prop, measurement in result.measurements.items()}


def assert_same(actual: RecordingMeasurements, expected: RecordingMeasurements, tolerance: float) -> None:
    for prop, value in values(expected).items():
        if value is None:
            assert values(actual)[prop] is None, prop
        else:
            assert values(actual)[prop] == pytest.approx(value, abs=tolerance), prop


def test_a_recording_has_all_measurements_in_their_units() -> None:
    result = measured(talk(14.0), language="EN")
    assert set(result.measurements) == set(Property)
    for prop, measurement in result.measurements.items():
        assert measurement.unit is unit_of(prop, "EN")
        assert measurement.value is not None, prop
        assert measurement.weight_s > 0
    assert result.measurements[Property.SNR].value == pytest.approx(30, abs=1.5)
    assert result.measurements[Property.LOUDNESS].details["true_peak_dbtp"] is not None
    assert (result.duration_s, result.sample_rate_hz, result.channels) == (14.0, RATE_HZ, 1)
    assert [row[0] for row in result.dnsmos_rows] == [0, 1, 2, 3, 4]


def test_the_transcript_reaches_the_speaking_rate() -> None:
    with_text = recording_from_array(talk(14.0), RATE_HZ, transcript="今天天气很好我们去公园散步吧" * 4)
    rate = measure(with_text, language="CN", models=FakeModels()).measurements[Property.SPEAKING_RATE].value
    # Five phrases of 2 s hold 56 characters.
    assert rate == pytest.approx(56 / 10.2 * 60, rel=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000])
def test_the_rate_hardly_matters(rate_hz: int) -> None:
    reference, other = values(measured_talk()), values(measured(talk(5.0, rate_hz), rate_hz))
    assert other[Property.LOUDNESS] == pytest.approx(reference[Property.LOUDNESS], abs=0.3)
    if rate_hz >= 16_000:
        assert other[Property.SNR] == pytest.approx(reference[Property.SNR], abs=1.0)


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_equal_channels_count_as_one(channels: int) -> None:
    result = measured(np.repeat(talk()[:, None], channels, axis=1))
    assert result.channels == channels
    assert_same(result, measured_talk(), 1e-3)


@given(gain_db=st.floats(-12, 40))
@settings(max_examples=3, deadline=None)
def test_a_gain_moves_loudness_by_exactly_that_and_nothing_else(gain_db: float) -> None:
    louder = measured(talk() * np.float32(10 ** (gain_db / 20)))
    loudness = louder.measurements[Property.LOUDNESS]
    assert loudness.value is not None
    moved_back = replace(loudness, value=loudness.value - gain_db)
    louder = replace(louder, measurements={**louder.measurements, Property.LOUDNESS: moved_back})
    assert_same(louder, measured_talk(), 0.01)


def test_a_constant_offset_changes_nothing_behind_the_high_pass() -> None:
    reference, shifted = values(measured_talk()), values(measured(talk() + np.float32(0.3)))
    assert shifted[Property.SNR] == pytest.approx(reference[Property.SNR], abs=0.05)


@pytest.mark.parametrize("block", [1_000, 7_777, 200_000])
def test_the_result_does_not_depend_on_the_blocks(block: int) -> None:
    other = measure(cut(talk(), RATE_HZ, block), language="CN", models=FakeModels())
    assert_same(other, measured_talk(), 0.01)


# Of so many samples; the first four have lengths of their own.
STRANGE: dict[str, Callable[[int], npt.NDArray[np.float64]]] = {
    "nothing": lambda _: np.zeros(0),
    "one sample": lambda _: np.array([0.5]),
    "one zero": lambda _: np.zeros(1),
    "1 ms": lambda _: np.full(48, 0.1),
    "silence": np.zeros,
    "dc": lambda count: np.full(count, 0.7),
    "tone": lambda count: 0.3 * np.sin(np.arange(count) * 0.05),
    "square": lambda count: np.sign(np.sin(np.arange(count) * 0.013)),
    "noise": lambda count: np.random.default_rng(0).standard_normal(count) * 0.01,
    "clipping noise": lambda count: np.clip(np.random.default_rng(0).standard_normal(count), -1, 1),
    "a click": lambda count: np.eye(1, count, count // 2)[0],
    "integers in a float file": lambda count: np.random.default_rng(0).integers(-32_768, 32_767, count).astype(float),
    "enormous": lambda count: 1e30 * np.sin(np.arange(count) * 0.05),
    "tiny": lambda count: 1e-30 * np.sin(np.arange(count) * 0.05),
}


# Twice: enough speech for every measurement; once: enough for loudness at least.
@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize(("rate_hz", "duration_s"), [(8_000, 3.2), (16_000, 3.2), (192_000, 0.5)])
def test_strange_recordings_are_measured_without_an_exception(name: str, rate_hz: int, duration_s: float) -> None:
    samples = STRANGE[name](round(duration_s * rate_hz)).astype(np.float32)
    result = measured(samples, rate_hz)
    assert set(result.measurements) == set(Property)
    assert result.duration_s == len(samples) / rate_hz
    for measurement in result.measurements.values():
        assert measurement.value is None or np.isfinite(measurement.value)


@pytest.mark.parametrize("name", ["nothing", "one sample", "1 ms"])
def test_next_to_nothing_has_no_values(name: str) -> None:
    assert set(values(measured(STRANGE[name](0).astype(np.float32), 48_000)).values()) == {None}


def test_silence_has_no_values() -> None:
    result = measured(np.zeros(16_000 * 4, dtype=np.float32))
    assert set(values(result).values()) == {None}
    assert result.measurements[Property.LOUDNESS].reason is Reason.SILENT
    assert result.measurements[Property.SNR].reason is Reason.NO_SPEECH


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 1])
def test_samples_that_are_no_numbers_make_the_recording_invalid(bad: float, channel: int) -> None:
    table = np.repeat(talk(3.0)[:, None], 2, axis=1)
    table[20_000, channel] = bad
    result = measured(table)
    assert {measurement.reason for measurement in result.measurements.values()} == {Reason.INVALID_SAMPLES}
    assert result.duration_s == 3.0
    assert result.dnsmos_rows == ()


def test_progress_goes_up_to_the_duration() -> None:
    seconds: list[float] = []
    recording = recording_from_array(talk(5.3, 44_100), 44_100)
    measure(recording, language="EN", models=FakeModels(), on_progress=seconds.append)
    assert seconds == sorted(seconds)
    assert len(seconds) >= 5
    assert seconds[-1] == pytest.approx(5.3, abs=0.01)


def test_a_recording_that_breaks_off_says_so() -> None:
    def open_blocks() -> Iterator[Samples]:
        yield np.zeros((16_000, 1), dtype=np.float32)
        raise RecordingError("truncated", "文件不完整", "the file is incomplete")

    with pytest.raises(RecordingError, match="incomplete"):
        measure(Recording("broken", RATE_HZ, 1, open_blocks), language="CN", models=FakeModels())
