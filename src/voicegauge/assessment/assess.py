"""From a recording to its measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import soxr

from voicegauge.assessment.activity import ActivityMeter
from voicegauge.assessment.defects import DefectMeter
from voicegauge.assessment.dnsmos import DnsmosMeter
from voicegauge.assessment.filters import StreamFilter, butterworth
from voicegauge.assessment.loudness import LoudnessMeter, TruePeakMeter
from voicegauge.assessment.ports import Models
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Recording, Samples
from voicegauge.assessment.reverb import ReverbMeter
from voicegauge.assessment.snr import SnrMeter
from voicegauge.assessment.speaking_rate import SpeakingRateMeter
from voicegauge.assessment.uncertainty import with_error
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Language, Measurement, Property, Reason, RecordingMeasurements

__all__ = ["measure"]

_HIGH_PASS_HZ = 20.0
_SCALED_PEAK = 0.5

# Float files that hold integers reach 2^31; what is far beyond that is no sound, and sums of it would overflow.
_LARGEST = 2.0**32


def measure(
    recording: Recording,
    *,
    language: Language,
    models: Models,
    on_progress: Callable[[float], None] | None = None,
) -> RecordingMeasurements:
    """Measure every property of one recording.

    The samples are read twice, block by block: once as they are, for level and loudness, and once as the mean of the
    channels at 16 kHz, for everything else. Memory does not grow with the recording but for a few numbers per frame.

    Parameters
    ----------
    recording : Recording
    language : {"CN", "EN"}
        What is spoken.
    models : Models
    on_progress : callable, optional
        Called now and then with the seconds of audio measured so far.

    Returns
    -------
    RecordingMeasurements
        With all properties; one that could not be measured has a reason in place of its value. Samples that are not a
        number, infinite or absurdly large give `INVALID_SAMPLES` for all of them.

    Raises
    ------
    RecordingError
        From the recording itself, where it turns out to be damaged.
    """
    defects = DefectMeter(recording.rate_hz, recording.channels)
    levels = _measure_levels(recording, defects)
    duration_s = levels.samples / recording.rate_hz
    if levels.loudness is None:
        return RecordingMeasurements(
            name=recording.name,
            duration_s=duration_s,
            sample_rate_hz=recording.rate_hz,
            channels=recording.channels,
            measurements={
                prop: Measurement(None, unit_of(prop, language), Reason.INVALID_SAMPLES) for prop in Property
            },
        )
    dnsmos = DnsmosMeter(models.dnsmos)
    activity_meter = ActivityMeter(models.voice_activity)
    snr, reverb, rate = SnrMeter(), ReverbMeter(), SpeakingRateMeter(language, recording.transcript)
    high_pass = StreamFilter(butterworth(2, _HIGH_PASS_HZ, "high", rate_hz=ANALYSIS_RATE_HZ))
    # A constant offset would ring at the start of the high-pass; a fixed scale makes every figure but the loudness and
    # the DNSMOS scores independent of the level of the recording.
    offset, gain = np.float32(levels.mean), np.float32(_SCALED_PEAK / levels.swing if levels.swing > 0 else 1.0)

    def push_filtered(samples: Samples) -> None:
        for meter in (activity_meter, snr, reverb, rate, defects):
            meter.push(samples)

    seconds_done = 0.0
    for block in _at_analysis_rate(recording):
        dnsmos.push(block)
        push_filtered(high_pass.push((block - offset) * gain))
        seconds_done += len(block) / ANALYSIS_RATE_HZ
        if on_progress is not None:
            on_progress(min(seconds_done, duration_s))
    push_filtered(high_pass.finish())

    activity = activity_meter.result()
    scores = dnsmos.result()
    windows = () if scores.measurements[Property.DNSMOS_OVRL].details.get("repeated") else scores.rows
    findings, traits = defects.result(
        activity,
        gain=float(gain),
        dnsmos_rows=windows,
        rate_passages=rate.passages(activity),
        reverb_passages=reverb.passages(activity),
    )
    measurements = {
        Property.SPEAKING_RATE: rate.result(activity),
        Property.LOUDNESS: levels.loudness,
        Property.SNR: snr.result(activity),
        Property.REVERB: reverb.result(activity),
        **scores.measurements,
    }
    measurements = {
        prop: with_error(prop, measurement, language=language, sample_rate_hz=recording.rate_hz)
        for prop, measurement in measurements.items()
    }
    if any(item.kind == "gated" for item in findings):
        # The noise was taken away before it could be measured, so how far off the ratio is cannot be said.
        ratio = measurements[Property.SNR]
        measurements[Property.SNR] = replace(ratio, error=None, details={**ratio.details, "gated": 1.0})
    return RecordingMeasurements(
        name=recording.name,
        duration_s=duration_s,
        sample_rate_hz=recording.rate_hz,
        channels=recording.channels,
        measurements=measurements,
        findings=findings,
        dnsmos_rows=scores.rows,
        traits=traits,
        speech_s=activity.speech_s,
    )


@dataclass(frozen=True)
class _Levels:
    """What the pass over the native samples gives; `loudness` is None when there were invalid samples."""

    samples: int
    mean: float
    swing: float
    loudness: Measurement | None


def _measure_levels(recording: Recording, defects: DefectMeter) -> _Levels:
    loudness, true_peak = LoudnessMeter(recording.rate_hz), TruePeakMeter(recording.rate_hz, recording.channels)
    samples, total, energy, lowest, highest, valid = 0, 0.0, 0.0, 0.0, 0.0, True
    for block in recording.open_blocks():
        samples += len(block)
        # Not a number compares as false.
        valid = valid and bool(np.max(block) <= _LARGEST and np.min(block) >= -_LARGEST)
        if not valid:
            continue
        mono = _mean_of_channels(block)
        total += float(np.sum(mono, dtype=np.float64))
        energy += float(np.dot(mono, mono))
        lowest, highest = min(lowest, float(np.min(mono))), max(highest, float(np.max(mono)))
        loudness.push(mono)
        true_peak.push(block)
        defects.push_native(block)
    if not valid:
        return _Levels(samples, 0.0, 0.0, None)
    defects.finish_native()
    mean = total / max(1, samples)
    measured = loudness.result(true_peak_dbtp=true_peak.result())
    rms_dbfs = 10 * math.log10(energy / samples) if energy > 0 else None
    return _Levels(
        samples=samples,
        mean=mean,
        swing=max(highest - mean, mean - lowest),
        loudness=replace(measured, details={**measured.details, "rms_dbfs": rms_dbfs}),
    )


def _at_analysis_rate(recording: Recording) -> Iterator[Samples]:
    """The mean of the channels at 16 kHz."""
    if recording.rate_hz == ANALYSIS_RATE_HZ:
        yield from map(_mean_of_channels, recording.open_blocks())
        return
    resampler = soxr.ResampleStream(recording.rate_hz, ANALYSIS_RATE_HZ, 1, dtype="float32")
    for block in recording.open_blocks():
        yield resampler.resample_chunk(_mean_of_channels(block))
    yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _mean_of_channels(block: Samples) -> Samples:
    if block.shape[1] == 1:
        return block[:, 0]
    mean: Samples = np.mean(block, axis=1, dtype=np.float32)
    return mean
