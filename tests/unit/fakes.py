"""Stand-ins for the learned models, and sounds that behave like speech, for tests that must not need either."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.recording import Samples

FRAME = 512
DNSMOS_WINDOW, DNSMOS_HOP = 144_160, 16_000


class FakeVoiceActivity:
    """Calls a frame speech when it is louder than -40 dB re full scale."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.float32)

    def open_stream(self) -> FakeVoiceActivity:
        return FakeVoiceActivity()

    def push(self, samples: Samples) -> npt.NDArray[np.float32]:
        signal = np.concatenate([self._rest, samples])
        whole = len(signal) // FRAME * FRAME
        self._rest = signal[whole:]
        power = np.mean(signal[:whole].reshape(-1, FRAME) ** 2, axis=1)
        return np.where(power > 1e-4, 0.95, 0.05).astype(np.float32)

    def finish(self) -> npt.NDArray[np.float32]:
        if not len(self._rest):
            return np.zeros(0, dtype=np.float32)
        return self.push(np.zeros(FRAME - len(self._rest), dtype=np.float32))


class FakeDnsmos:
    """Gives every full window the same raw scores."""

    def __init__(self) -> None:
        self.samples = 0

    def open_stream(self) -> FakeDnsmos:
        return FakeDnsmos()

    def push(self, samples: Samples) -> None:
        assert samples.ndim == 1
        self.samples += len(samples)

    def finish(self) -> npt.NDArray[np.float32]:
        windows = max(0, (self.samples - DNSMOS_WINDOW) // DNSMOS_HOP + 1)
        return np.full((windows, 3), 3.0, dtype=np.float32)


@dataclass(frozen=True)
class FakeModels:
    """Implements `voicegauge.assessment.ports.Models`."""

    voice_activity: FakeVoiceActivity = field(default_factory=FakeVoiceActivity)
    dnsmos: FakeDnsmos = field(default_factory=FakeDnsmos)


def white_noise(duration_s: float, *, rate_hz: int = 16_000, power_db: float = -60.0, seed: int = 1) -> Samples:
    """Gaussian noise of a given mean power, re full scale, in the band up to 8 kHz."""
    samples = np.random.default_rng(seed).standard_normal(round(duration_s * rate_hz))
    in_band = min(1.0, 16_000 / rate_hz)
    return np.asarray(samples * np.sqrt(10 ** (power_db / 10) / in_band), dtype=np.float32)


@cache
def speech(
    duration_s: float,
    *,
    rate_hz: int = 16_000,
    level_db: float = -26.0,
    syllables_per_s: float = 4.0,
    phrase_s: float = 2.0,
    pause_s: float = 0.8,
    seed: int = 0,
) -> Samples:
    """Voiced syllables in phrases with silence before, between and after them.

    A harmonic tone with three resonances that move from syllable to syllable, opened and closed at the syllable rate.
    `level_db` is the mean power of the phrases, re full scale.
    """
    rng = np.random.default_rng(seed)
    count = round(duration_s * rate_hz)
    times_s = np.arange(count) / rate_hz
    syllable = (times_s * syllables_per_s).astype(int)
    last = int(syllable[-1]) + 1 if count else 1
    pitch_hz = rng.uniform(100, 140, last)[syllable]
    formants_hz = np.column_stack([rng.uniform(*span, last) for span in ((300, 800), (900, 2200), (2400, 3200))])
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    harmonics = np.arange(30, -1, -1)
    distance = (120 * harmonics[:, None] - formants_hz[:, None]) / 120
    gains = (1 / (1 + distance**2)) @ np.array([1.0, 0.5, 0.25]) * (harmonics > 0)
    # The sum of gain * sin(harmonic * phase) as a polynomial in exp(i * phase), which needs one sine for all harmonics.
    turning = np.split(np.exp(1j * phase), np.flatnonzero(np.diff(syllable)) + 1)
    voice = np.concatenate([np.polyval(gain, part).imag for gain, part in zip(gains, turning, strict=True)])
    opening = np.sin(np.pi * times_s * syllables_per_s) ** 2
    position_s = times_s % (phrase_s + pause_s) - pause_s
    voice *= opening * (position_s >= 0)
    power = np.mean(voice[position_s >= 0] ** 2) if np.any(position_s >= 0) else 0.0
    samples = np.asarray(voice * np.sqrt(10 ** (level_db / 10) / max(power, 1e-12)), dtype=np.float32)
    samples.flags.writeable = False
    return samples


def activity_of_speech(duration_s: float, *, phrase_s: float = 2.0, pause_s: float = 0.8) -> Activity:
    """Where the phrases of `speech` with the same arguments are."""
    starts_s = np.arange(pause_s, duration_s, phrase_s + pause_s)
    segments = tuple(Segment(float(start_s), float(min(start_s + phrase_s, duration_s))) for start_s in starts_s)
    return Activity(duration_s, segments, sum(segment.end_s - segment.start_s for segment in segments))
