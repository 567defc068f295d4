"""What can be heard to be wrong in a recording, each with its place in time.

One module for each family: `clipping`, `interruptions` (dropouts, clicks), `channels` (offset, silent and inverted
channels), `spectrum` (hum, bandwidth), `pauses` (dead air, sudden noises, gates, edges) and `passages` (level, rate,
DNSMOS). The words are in :mod:`voicegauge.assessment.kinds`; docs/findings.md describes every kind and its limits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicegauge.assessment.activity import Activity
from voicegauge.assessment.defects import passages, pauses
from voicegauge.assessment.defects.channels import ChannelMeter
from voicegauge.assessment.defects.chunks import Chunk, Chunks
from voicegauge.assessment.defects.clipping import ClippingMeter
from voicegauge.assessment.defects.course import CourseMeter
from voicegauge.assessment.defects.interruptions import MARGIN_S, InterruptionMeter
from voicegauge.assessment.defects.spectrum import TONE_BANDS_HZ, BandwidthMeter, SlowSpectrumMeter
from voicegauge.assessment.kinds import joined
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.reverb import ReverbPassage
from voicegauge.assessment.speaking_rate import RatePassage
from voicegauge.assessment.values import Finding

__all__ = ["DefectMeter"]

_PIECE_S = 2.0


class DefectMeter:
    """Finds what is wrong with one recording that is pushed a block at a time, twice.

    First all samples as they are go to `push_native`, then the mean of the channels at 16 kHz to `push`. The findings
    do not depend on how the recording is cut into blocks; memory grows by some hundred bytes a second.

    Parameters
    ----------
    rate_hz : int > 0
    channels : int >= 1
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._chunks = Chunks(round(_PIECE_S * rate_hz), round(MARGIN_S * rate_hz), channels)
        self._clipping = ClippingMeter(rate_hz)
        self._interruptions = InterruptionMeter(rate_hz)
        self._channels = ChannelMeter(rate_hz, channels)
        self._bandwidth = BandwidthMeter(rate_hz)
        self._course = CourseMeter(rate_hz)
        self._slow = SlowSpectrumMeter()

    def push_native(self, block: Samples) -> None:
        """Take the next samples as recorded, shape (n, channels), n >= 1, full scale 1.0."""
        for chunk in self._chunks.push(block):
            self._examine(chunk)

    def finish_native(self) -> None:
        """Call it after the last samples as recorded."""
        for chunk in self._chunks.finish():
            self._examine(chunk)

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz, multiplied with a constant gain."""
        self._course.push(samples)
        self._slow.push(samples)

    def result(
        self,
        activity: Activity,
        *,
        gain: float,
        dnsmos_rows: Sequence[tuple[float, float, float, float]] = (),
        rate_passages: Sequence[RatePassage] = (),
        reverb_passages: Sequence[ReverbPassage] = (),
    ) -> tuple[tuple[Finding, ...], dict[str, float]]:
        """Return the findings in the order of time, and the traits that tell recordings of one session apart.

        Parameters
        ----------
        activity : Activity
        gain : float > 0
            What the samples given to `push` had been multiplied with.
        dnsmos_rows : sequence of (start_s, sig, bak, ovrl)
            Of a recording that fills at least one window; else empty.
        rate_passages : sequence of RatePassage
        reverb_passages : sequence of ReverbPassage
        """
        course = self._course.result(activity, gain=gain)
        speech_rms = 0.0 if course.speech_db is None else 10 ** (course.speech_db / 20)
        channels = self._channels.findings()
        inverted = any(item.kind == "inverted_channel" for item in channels)
        found = [
            *self._clipping.findings(),
            *self._interruptions.findings(speech_rms=speech_rms),
            *channels,
            *(self._bandwidth.findings(duration_s=activity.duration_s) if activity.segments else ()),
            *self._slow.findings(gain=gain, duration_s=activity.duration_s, speech_db=course.speech_db),
            *pauses.edges(course),
            *pauses.dead_air(course),
            *pauses.noise_bursts(course),
            *pauses.gated(course),
            # Channels that cancel each other leave little of any voice.
            *(() if inverted else passages.low_level(course)),
            *passages.level_jumps(course),
            *passages.rate_off(rate_passages),
            *passages.reverberant_passages(reverb_passages),
            *passages.dnsmos_valleys(dnsmos_rows, duration_s=activity.duration_s),
        ]
        traits: dict[str, float] = {}
        if course.speech_db is not None:
            traits["speech_level_db"] = course.speech_db
        if course.noise_db is not None:
            traits["noise_level_db"] = course.noise_db
        tone_db = self._slow.tone_db(activity)
        if tone_db is not None:
            traits.update(zip((f"tone_{edge}_hz_db" for edge in TONE_BANDS_HZ), tone_db.tolist(), strict=False))
        return tuple(sorted(joined(found), key=lambda item: item.start_s or 0.0)), traits

    def _examine(self, chunk: Chunk) -> None:
        self._clipping.push(chunk)
        self._interruptions.push(chunk)
        self._channels.push(chunk)
        own = chunk.samples[chunk.before : chunk.before + chunk.own]
        mono: Samples = own[:, 0] if own.shape[1] == 1 else np.mean(own, axis=1, dtype=np.float32)
        self._bandwidth.push(mono)
        self._course.push_native(mono)
