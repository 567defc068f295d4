"""The DNSMOS P.835 network, one window at a time in onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["OnnxDnsmosNetwork", "OnnxDnsmosStream"]

_WINDOW = 144_160
_HOP = ANALYSIS_RATE_HZ


class OnnxDnsmosNetwork:
    """Raw SIG, BAK and OVRL of each window; implements `DnsmosNetwork`.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        On the network's file.
    """

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def open_stream(self) -> OnnxDnsmosStream:
        """Start a recording."""
        return OnnxDnsmosStream(self._session)


class OnnxDnsmosStream:
    """One recording on its way through the network; implements `DnsmosStream`. Holds one window of samples."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._window = np.empty((1, _WINDOW), dtype=np.float32)
        self._filled = 0
        self._rows: list[npt.NDArray[np.float32]] = []

    def push(self, samples: Samples) -> None:
        """Take samples, shape (n,), any n; score the windows completed by them."""
        while len(samples):
            take = min(len(samples), _WINDOW - self._filled)
            self._window[0, self._filled : self._filled + take] = samples[:take]
            self._filled += take
            samples = samples[take:]
            if self._filled == _WINDOW:
                (raw,) = self._session.run(None, {"input_1": self._window})
                self._rows.append(raw)
                self._window[0, :-_HOP] = self._window[0, _HOP:]
                self._filled -= _HOP

    def finish(self) -> npt.NDArray[np.float32]:
        """Return shape (windows, 3): raw SIG, BAK, OVRL; no row where the recording is shorter than a window."""
        return np.concatenate(self._rows) if self._rows else np.empty((0, 3), dtype=np.float32)
