"""Puts the models together."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

from voicegauge.assessment.ports import DnsmosNetwork, Models, VoiceActivityNetwork
from voicegauge.models.dnsmos_onnx import OnnxDnsmosNetwork
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD, checked_path
from voicegauge.models.sessions import open_session
from voicegauge.models.voice_activity import SileroNetwork

__all__ = ["load_models"]


def load_models(*, threads: int = 1) -> Models:
    """Check the model files and return the models, each opened when it is first used.

    The result may be shared between threads; every recording opens streams of its own.

    Parameters
    ----------
    threads : int > 0
        How many threads one run of a network may use. One is right where several recordings are assessed at once.

    Raises
    ------
    ModelError
        A model file is missing, damaged or of another version. The message says what to install.
    """
    return _LoadedModels(checked_path(SILERO_VAD), checked_path(DNSMOS_P835), threads)


class _LoadedModels:
    def __init__(self, silero_path: Path, dnsmos_path: Path, threads: int) -> None:
        self._silero_path = silero_path
        self._dnsmos_path = dnsmos_path
        self._threads = threads
        self._opening = threading.RLock()

    @property
    def voice_activity(self) -> VoiceActivityNetwork:
        with self._opening:
            return self._silero

    @property
    def dnsmos(self) -> DnsmosNetwork:
        with self._opening:
            return self._dnsmos

    @cached_property
    def _silero(self) -> SileroNetwork:
        # Its matrices are too small for more than one thread to pay.
        return SileroNetwork(open_session(self._silero_path, threads=1))

    @cached_property
    def _dnsmos(self) -> OnnxDnsmosNetwork:
        return OnnxDnsmosNetwork(open_session(self._dnsmos_path, threads=self._threads))
