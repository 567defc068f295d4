"""The fitted networks and what they are fed with."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import white_noise
from voicegauge.assessment.data import reverb_weights
from voicegauge.assessment.decay import FEATURE_COUNT
from voicegauge.assessment.late import LATE_GROUPS, late_energy
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.reverb_regressor import predict_c50_db

RATE_HZ = 16_000


def echoing(samples: Samples, delay_s: float) -> Samples:
    """With an echo of half the amplitude."""
    result = samples.copy()
    delay = round(delay_s * RATE_HZ)
    result[delay:] += np.float32(0.5) * samples[: len(samples) - delay]
    return result


def late_share_db(samples: Samples) -> float:
    everything, late, _ = late_energy(samples).sum(axis=1)
    return float(10 * np.log10(late / everything))


def test_the_weights_are_those_that_were_written() -> None:
    stored = b"".join(base64.b64decode(text) for _, _, text in reverb_weights.ARRAYS.values())
    assert hashlib.sha256(stored).hexdigest() == reverb_weights.PROVENANCE["sha256"]
    assert Path(reverb_weights.__file__).stat().st_size < 200_000


def test_the_weights_fit_the_features() -> None:
    for name in ("lowest", "highest", "mean", "scale"):
        assert reverb_weights.ARRAYS[name][0] == (FEATURE_COUNT,)
    assert reverb_weights.ARRAYS["weights_1"][0][1] == FEATURE_COUNT
    bands = reverb_weights.ARRAYS["shares"][0][0]
    assert reverb_weights.ARRAYS["weights_3"][0][2] == reverb_weights.ARRAYS["offsets_3"][0][1] == bands


def test_bands_of_one_c50_make_a_whole_of_the_same() -> None:
    assert sum(np.frombuffer(base64.b64decode(reverb_weights.ARRAYS["shares"][2]), "<f4")) == pytest.approx(1)


@given(st.integers(0, 1000), st.floats(0.1, 1e6))
@settings(max_examples=30, deadline=None)
def test_whatever_goes_in_a_possible_c50_comes_out(seed: int, spread: float) -> None:
    c50_db = predict_c50_db(np.random.default_rng(seed).normal(0, spread, FEATURE_COUNT))
    assert -5 <= c50_db <= 40


def test_a_late_echo_is_predictable_and_noise_is_not() -> None:
    noise = white_noise(8.0, power_db=-20)
    assert late_share_db(noise) < -15
    assert late_share_db(echoing(noise, 0.072)) > -10
    assert late_share_db(echoing(noise, 0.012)) < -15


def test_energies_are_split_over_groups_of_bands() -> None:
    energies = late_energy(white_noise(2.0))
    assert energies.shape == (3, LATE_GROUPS)
    assert np.all(energies >= 0)
    assert np.all(np.isfinite(late_energy(np.zeros(RATE_HZ, dtype=np.float32))))
