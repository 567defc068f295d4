"""The windows, the repetition of short recordings, the polynomials, and what cannot be scored."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegauge.assessment.dnsmos import DnsmosMeter, DnsmosScores
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.values import Property, Reason, Unit

RATE_HZ = 16_000
WINDOW = 144_160
COLUMNS = (Property.DNSMOS_SIG, Property.DNSMOS_BAK, Property.DNSMOS_OVRL)


class EchoNetwork:
    """Remembers what it is given and answers with the first three samples of each window."""

    def __init__(self) -> None:
        self.blocks: list[Samples] = []

    def open_stream(self) -> EchoNetwork:
        return self

    def push(self, samples: Samples) -> None:
        self.blocks.append(samples.copy())

    @property
    def received(self) -> Samples:
        return np.concatenate([np.empty(0, np.float32), *self.blocks])

    def finish(self) -> npt.NDArray[np.float32]:
        received = self.received
        starts = range(0, len(received) - WINDOW + 1, RATE_HZ)
        return np.array([received[start : start + 3] for start in starts], np.float32).reshape(-1, 3)


def score(samples: Samples, block: int = 50_000) -> tuple[DnsmosScores, EchoNetwork]:
    network = EchoNetwork()
    meter = DnsmosMeter(network)
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result(), network


def noise(length: int) -> Samples:
    return np.random.default_rng(length).uniform(-0.5, 0.5, length).astype(np.float32)


def test_a_long_recording_reaches_the_network_unchanged() -> None:
    samples = noise(WINDOW + 5 * RATE_HZ)
    scores, network = score(samples)
    np.testing.assert_array_equal(network.received, samples)
    assert [row[0] for row in scores.rows] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("length", [WINDOW - 1, WINDOW // 2, 100_000, 40_000, RATE_HZ])
def test_a_short_recording_is_doubled_until_it_fills_a_window(length: int) -> None:
    samples = noise(length)
    scores, network = score(samples)
    doublings = math.ceil(math.log2(WINDOW / length))
    np.testing.assert_array_equal(network.received, np.tile(samples, 2**doublings))
    assert len(scores.rows) == (length * 2**doublings - WINDOW) // RATE_HZ + 1
    for measurement in scores.measurements.values():
        assert measurement.details == {"repeated": 1.0}
        assert measurement.weight_s == pytest.approx(length / RATE_HZ, abs=1e-4)


def test_a_recording_of_exactly_one_window_is_not_repeated() -> None:
    scores, network = score(noise(WINDOW))
    assert len(network.received) == WINDOW
    assert len(scores.rows) == 1
    assert scores.measurements[Property.DNSMOS_OVRL].details == {"repeated": 0.0}


def test_the_published_polynomials_are_applied_to_each_window_before_the_mean() -> None:
    samples = noise(WINDOW + 2 * RATE_HZ)
    scores, _ = score(samples)
    published = (
        (-0.08397278, 1.22083953, 0.0052439),
        (-0.13166888, 1.60915514, -0.39604546),
        (-0.06766283, 1.11546468, 0.04602535),
    )
    for column, (name, polynomial) in enumerate(zip(COLUMNS, published, strict=True)):
        expected = [np.polyval(polynomial, float(samples[i * RATE_HZ + column])) for i in range(3)]
        assert [row[column + 1] for row in scores.rows] == pytest.approx(expected, abs=1e-9)
        measurement = scores.measurements[name]
        assert measurement.value == pytest.approx(np.mean(expected), abs=1e-4)
        assert measurement.unit is Unit.MOS
        assert measurement.weight_s == pytest.approx(len(samples) / RATE_HZ, abs=1e-4)


@given(st.lists(st.integers(0, 90_000), max_size=6), st.integers(RATE_HZ, 2 * WINDOW))
def test_the_cuts_between_blocks_do_not_matter(cuts: list[int], length: int) -> None:
    samples = noise(length)
    network = EchoNetwork()
    meter = DnsmosMeter(network)
    for block in np.split(samples, np.minimum(np.cumsum(cuts), length)):
        meter.push(block)
    whole, _ = score(samples, length)
    assert meter.result() == whole


def test_blocks_may_be_reused_by_the_caller() -> None:
    network = EchoNetwork()
    meter = DnsmosMeter(network)
    block = noise(WINDOW // 2)
    expected = np.concatenate((block, 0.5 * block))
    meter.push(block)
    block *= 0.5
    meter.push(block)
    meter.result()
    np.testing.assert_array_equal(network.received, expected)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.empty(0, np.float32), Reason.TOO_SHORT),
        (noise(RATE_HZ // 2 - 1), Reason.TOO_SHORT),
        (np.zeros(20 * RATE_HZ, np.float32), Reason.SILENT),
        (np.zeros(RATE_HZ, np.float32), Reason.SILENT),
        (np.full(10 * RATE_HZ, 2.0**-15, np.float32), Reason.SILENT),
        (np.append(noise(10 * RATE_HZ), np.float32(np.nan)), Reason.INVALID_SAMPLES),
        (np.append(np.float32(-np.inf), noise(20 * RATE_HZ)), Reason.INVALID_SAMPLES),
        (np.append(noise(10 * RATE_HZ), np.float32(1e20)), Reason.INVALID_SAMPLES),
    ],
)
def test_what_cannot_be_scored_has_a_reason_and_no_value(samples: Samples, reason: Reason) -> None:
    scores, _ = score(samples)
    assert scores.rows == ()
    assert set(scores.measurements) == set(COLUMNS)
    for measurement in scores.measurements.values():
        assert (measurement.value, measurement.reason, measurement.weight_s) == (None, reason, 0.0)


def test_memory_is_bounded_by_one_window() -> None:
    class Forgetful(EchoNetwork):
        largest = 0

        def push(self, samples: Samples) -> None:
            self.largest = max(self.largest, len(samples))

    network = Forgetful()
    meter = DnsmosMeter(network)
    for _ in range(100):
        meter.push(noise(10_000))
    assert network.largest == 10_000
    assert not meter._opening


def test_more_than_full_scale_is_scored() -> None:
    scores, _ = score(3.0 * noise(WINDOW))
    assert scores.measurements[Property.DNSMOS_BAK].value is not None
