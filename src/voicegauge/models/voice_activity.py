"""The silero voice activity network.

References
----------
.. [1] Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", https://github.com/snakers4/silero-vad
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["SileroNetwork", "SileroStream"]

_FRAME = 512
_CONTEXT = 64
_STATE_SHAPE = (2, 1, 128)


class SileroNetwork:
    """Speech probabilities of 32 ms frames at 16 kHz; implements `VoiceActivityNetwork`.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        On the network's file.
    """

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def open_stream(self) -> SileroStream:
        """Start a recording."""
        return SileroStream(self._session)


class SileroStream:
    """One recording on its way through the network; implements `VoiceActivityStream`.

    The network sees each frame behind the 64 samples before it and carries a state from frame to frame.
    """

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._rate_hz = np.array(ANALYSIS_RATE_HZ, dtype=np.int64)
        self._state = np.zeros(_STATE_SHAPE, dtype=np.float32)
        # The context of the next frame, then what there is of the frame.
        self._pending = np.zeros(_CONTEXT, dtype=np.float32)

    def push(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Take samples, shape (n,); return the probabilities, 0 to 1, of the frames completed by them."""
        pending = np.concatenate((self._pending, samples), dtype=np.float32)
        frames = (len(pending) - _CONTEXT) // _FRAME
        probabilities = np.empty(frames, dtype=np.float32)
        for frame in range(frames):
            start = frame * _FRAME
            probabilities[frame] = self._score(pending[start : start + _CONTEXT + _FRAME])
        self._pending = pending[frames * _FRAME :].copy()
        return probabilities

    def finish(self) -> npt.NDArray[np.float32]:
        """Return the probability of the last frame, filled up with zeros; shape (0,) where no sample is left."""
        missing = (_CONTEXT - len(self._pending)) % _FRAME
        return self.push(np.zeros(missing, dtype=np.float32))

    def _score(self, frame: Samples) -> np.float32:
        inputs = {"input": frame[np.newaxis], "state": self._state, "sr": self._rate_hz}
        probability, self._state = self._session.run(None, inputs)
        return np.float32(probability[0, 0])
