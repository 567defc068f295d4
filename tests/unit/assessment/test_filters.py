from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegauge.assessment import filters
from voicegauge.assessment.filters import Kernel, StreamFilter
from voicegauge.assessment.recording import Samples

RATE_HZ = 16_000
Kind = Literal["low", "high", "band"]


def noise(samples: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def gains_db(kernel: Kernel, tones_hz: npt.NDArray[np.float64], rate_hz: int) -> npt.NDArray[np.float64]:
    waves = np.exp(-2j * np.pi * np.outer(tones_hz / rate_hz, np.arange(len(kernel.taps))))
    return np.asarray(20 * np.log10(np.abs(waves @ kernel.taps)))


@pytest.mark.parametrize("rate_hz", [1_000, 8_000, 11_025, 16_000, 44_100, 48_000, 192_000])
def test_k_weighting_is_the_filter_of_the_recommendation_at_any_rate(rate_hz: int) -> None:
    tones_hz = np.array([20.0, 30.0, 100.0, 400.0, 1_000.0, 2_000.0, 3_500.0, 7_000.0, 20_000.0])
    tones_hz = tones_hz[tones_hz < 0.45 * rate_hz]
    turns = np.exp(-2j * np.pi * tones_hz / 48_000)
    shelf = np.polyval([1.19839281085285, -2.69169618940638, 1.53512485958697], turns) / np.polyval(
        [0.73248077421585, -1.69065929318241, 1.0], turns
    )
    high_pass = np.polyval([1.0, -2.0, 1.0], turns) / np.polyval([0.99007225036621, -1.99004745483398, 1.0], turns)
    expected_db = 20 * np.log10(np.abs(shelf * high_pass))
    assert gains_db(filters.k_weighting(rate_hz), tones_hz, rate_hz) == pytest.approx(expected_db, abs=0.002)


@given(cuts=st.lists(st.integers(0, 30_000), max_size=8), zero_phase=st.booleans())
@settings(max_examples=12, deadline=None)
def test_the_result_does_not_depend_on_how_the_signal_is_cut(cuts: list[int], zero_phase: bool) -> None:
    kernel = filters.butterworth(2, 20.0, "high", rate_hz=RATE_HZ, zero_phase=zero_phase)
    samples = noise(30_000)
    stream = StreamFilter(kernel)
    pieces = [stream.push(piece) for piece in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate([*pieces, stream.finish()]), filters.apply(kernel, samples))


@given(length=st.integers(0, 20_000), delay=st.integers(0, 11_999))
@settings(max_examples=20, deadline=None)
def test_as_many_samples_come_out_as_went_in_and_they_line_up(length: int, delay: int) -> None:
    taps = np.zeros(12_000)
    taps[delay] = 1.0
    samples = noise(length)
    assert filters.apply(Kernel(taps, delay), samples) == pytest.approx(samples, abs=1e-6)


def test_stacked_kernels_give_one_row_each() -> None:
    bands = [
        filters.butterworth(2, edges, "band", rate_hz=RATE_HZ, zero_phase=True) for edges in ((300, 500), (1e3, 2e3))
    ]
    kernels = [*bands, filters.butterworth(2, 20.0, "high", rate_hz=RATE_HZ), filters.moving_average(5)]
    samples = noise(20_000)
    rows = filters.apply(filters.stack(kernels), samples)
    assert rows.shape == (4, 20_000)
    for row, kernel in zip(rows, kernels, strict=True):
        assert row == pytest.approx(filters.apply(kernel, samples), abs=1e-5)


@pytest.mark.parametrize("length", [4, 5])
def test_moving_average_is_centred(length: int) -> None:
    samples = np.array([0, 0, 0, 0, 1, 2, 3, 0, 0, 0], dtype=np.float32)
    expected = np.convolve(samples, np.full(length, 1 / length), "full")[(length - 1) // 2 :][:10]
    assert filters.apply(filters.moving_average(length), samples) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("cutoff_hz", "kind"),
    [(8_000.0, "low"), (0.0, "high"), ((300.0, 8_500.0), "band"), (300.0, "band"), ((1.0, 2.0), "low")],
)
def test_impossible_designs_are_refused(cutoff_hz: Any, kind: Kind) -> None:
    with pytest.raises(ValueError, match="cut-off frequencies"):
        filters.butterworth(2, cutoff_hz, kind, rate_hz=RATE_HZ)
