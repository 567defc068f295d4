"""DNSMOS P.835: how a panel would rate speech (SIG), background (BAK) and the whole (OVRL), from 1 to 5.

References
----------
.. [1] C. K. A. Reddy, V. Gopal, R. Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality metric
   to evaluate noise suppressors", Proc. ICASSP, 2022, https://arxiv.org/abs/2110.01763
.. [2] ITU-T Rec. P.835, "Subjective test methodology for evaluating speech communication systems that include noise
   suppression algorithm", 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.definitions import DEFINITIONS, WINDOW_S, Case
from voicegauge.assessment.ports import DnsmosNetwork
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples
from voicegauge.assessment.values import Measurement, Property, Reason, Unit

__all__ = ["DnsmosMeter", "DnsmosScores"]

_WINDOW_SAMPLES = round(WINDOW_S * ANALYSIS_RATE_HZ)
_HOP_S = 1.0

# Repeating less than a syllable or two makes a buzz, and the network would rate that.
_MIN_SAMPLES = round(DEFINITIONS[Property.DNSMOS_OVRL].evidence[Case.ALWAYS].recording_s * ANALYSIS_RATE_HZ)

# At or below one step of 16-bit audio there is nothing to rate, and the network would still give a number.
_SILENT_PEAK = 2.0**-15

# Float files that hold integers reach 2^31; far beyond that the network's arithmetic would overflow.
_LARGEST = 2.0**32

_COLUMNS = (Property.DNSMOS_SIG, Property.DNSMOS_BAK, Property.DNSMOS_OVRL)

# value = square * raw^2 + slope * raw + offset, published with the network; one column each for SIG, BAK, OVRL.
_SQUARE = np.array([-0.08397278, -0.13166888, -0.06766283])
_SLOPE = np.array([1.22083953, 1.60915514, 1.11546468])
_OFFSET = np.array([0.0052439, -0.39604546, 0.04602535])


@dataclass(frozen=True)
class DnsmosScores:
    """The scores of one recording.

    Attributes
    ----------
    measurements : mapping of Property to Measurement
        `DNSMOS_SIG`, `DNSMOS_BAK` and `DNSMOS_OVRL`: the means over the windows, in MOS. `weight_s` is the duration.
        `details["repeated"]` is 1.0 where a recording shorter than one window was repeated to fill it, else 0.0.
    rows : tuple of (start_s, sig, bak, ovrl)
        One row for each window, in order. A repeated recording's rows count through the repetitions.
    """

    measurements: dict[Property, Measurement]
    rows: tuple[tuple[float, float, float, float], ...]


class DnsmosMeter:
    """DNSMOS SIG, BAK and OVRL of one recording that is pushed a block at a time.

    Every full window of 9.01 s at a hop of 1 s is scored; the polynomials that map the network's output to MOS are
    applied to each window, and the windows are averaged. Values lie near 1 to 5; higher is better. A recording shorter
    than 9.01 s is doubled until it fills a window, as the authors' own script does, and says so in its details.
    Less than 0.5 s gives no value and `TOO_SHORT`; no sample above one step of 16-bit audio gives `SILENT`;
    a sample that is not a number, infinite or absurdly large gives `INVALID_SAMPLES`.

    Parameters
    ----------
    network : DnsmosNetwork
    """

    def __init__(self, network: DnsmosNetwork) -> None:
        self._stream = network.open_stream()
        self._opening: list[Samples] = []
        self._total = 0
        self._peak = 0.0
        self._valid = True

    def push(self, samples: Samples) -> None:
        """Take the next samples of the recording.

        Parameters
        ----------
        samples : float32 array, shape (n,), n >= 0
            16 kHz, one channel, full scale 1.0, as recorded: neither filtered nor scaled.
        """
        if len(samples) == 0:
            return
        before = self._total
        self._total += len(samples)
        extent = float(np.max(np.abs(samples)))
        self._valid = self._valid and extent <= _LARGEST
        if not self._valid:
            return
        self._peak = max(self._peak, extent)
        if before >= _WINDOW_SAMPLES:
            self._stream.push(samples)
            return
        # The first window is held back, because a recording that ends within it is repeated.
        self._opening.append(samples.copy())
        if self._total >= _WINDOW_SAMPLES:
            for block in self._opening:
                self._stream.push(block)
            self._opening.clear()

    def result(self) -> DnsmosScores:
        """Return the scores; call it once, after the last block."""
        reason = self._why_not()
        if reason is not None:
            return DnsmosScores({name: Measurement(None, Unit.MOS, reason) for name in _COLUMNS}, ())
        details: dict[str, float | None] = {"repeated": 0.0}
        if self._total < _WINDOW_SAMPLES:
            details["repeated"] = 1.0
            repeated = np.concatenate(self._opening)
            while len(repeated) < _WINDOW_SAMPLES:
                repeated = np.concatenate((repeated, repeated))
            self._stream.push(repeated)
        scores = _mos_from_raw(self._stream.finish())
        weight_s = self._total / ANALYSIS_RATE_HZ
        measurements = {
            name: Measurement(float(mean), Unit.MOS, weight_s=weight_s, details=dict(details))
            for name, mean in zip(_COLUMNS, scores.mean(axis=0), strict=True)
        }
        rows = tuple((i * _HOP_S, float(sig), float(bak), float(ovrl)) for i, (sig, bak, ovrl) in enumerate(scores))
        return DnsmosScores(measurements, rows)

    def _why_not(self) -> Reason | None:
        if self._total < _MIN_SAMPLES:
            return Reason.TOO_SHORT
        if not self._valid:
            return Reason.INVALID_SAMPLES
        return Reason.SILENT if self._peak <= _SILENT_PEAK else None


def _mos_from_raw(raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    wide = raw.astype(np.float64)
    mos: npt.NDArray[np.float64] = (_SQUARE * wide + _SLOPE) * wide + _OFFSET
    return mos
