"""What the measurements need from the learned models; `voicegauge.models` implements it, tests replace it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples

__all__ = ["DnsmosNetwork", "DnsmosStream", "Models", "VoiceActivityNetwork", "VoiceActivityStream"]


class VoiceActivityStream(Protocol):
    """Speech probability of one recording, pushed a block at a time."""

    def push(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Take 16 kHz samples, shape (n,); return the probabilities of the 32 ms frames completed by them."""
        ...

    def finish(self) -> npt.NDArray[np.float32]:
        """Return the probability of the last, zero-padded frame, shape (0,) or (1,)."""
        ...


class VoiceActivityNetwork(Protocol):
    """A voice activity network with a hop of 512 samples at 16 kHz."""

    def open_stream(self) -> VoiceActivityStream: ...


class DnsmosStream(Protocol):
    """Raw DNSMOS P.835 outputs of every full 9.01 s window at a 1 s hop of one recording."""

    def push(self, samples: Samples) -> None:
        """Take 16 kHz samples, shape (n,), any n."""
        ...

    def finish(self) -> npt.NDArray[np.float32]:
        """Return shape (windows, 3): the network's raw SIG, BAK, OVRL, before the calibration polynomials."""
        ...


class DnsmosNetwork(Protocol):
    """The DNSMOS P.835 network; window i covers samples 16000 i to 16000 i + 144160."""

    def open_stream(self) -> DnsmosStream: ...


class Models(Protocol):
    """The learned models a measurement is handed."""

    @property
    def voice_activity(self) -> VoiceActivityNetwork: ...

    @property
    def dnsmos(self) -> DnsmosNetwork: ...
