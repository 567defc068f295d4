"""Puts the models together and picks what computes them."""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from voicegauge.assessment.ports import DnsmosNetwork, Models, VoiceActivityNetwork
from voicegauge.errors import ModelError
from voicegauge.models.dnsmos_native import NativeDnsmosNetwork, simd_paths
from voicegauge.models.dnsmos_onnx import OnnxDnsmosNetwork
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD, checked_path
from voicegauge.models.sessions import CPU, open_session
from voicegauge.models.voice_activity import SileroNetwork

__all__ = ["Engine", "describe_engine", "load_models"]

Engine: TypeAlias = Literal["auto", "native", "onnxruntime"]
"""What computes DNSMOS: our compiled core, onnxruntime window by window, or the core where it is there."""

_log = logging.getLogger(__name__)


def load_models(*, threads: int = 1, engine: Engine = "auto", provider: str | None = None) -> Models:
    """Check the model files and return the models, each opened when it is first used.

    The result may be shared between threads; every recording opens streams of its own. Where `engine` is "auto" and the
    compiled core cannot be used, onnxruntime gives the same numbers more slowly, and one warning is logged.

    Parameters
    ----------
    threads : int > 0
        How many threads one recording may use. One is right where several recordings are assessed at once.
    engine : Engine
    provider : str, optional
        The onnxruntime execution provider for DNSMOS, such as "CUDAExecutionProvider"; naming one means onnxruntime.

    Raises
    ------
    ModelError
        A model file is missing, damaged or of another version, or the engine or provider that was asked for is not
        there. The message says what to do.
    """
    if provider is not None:
        if engine == "native":
            raise ModelError(f"The provider {provider} is onnxruntime's; the compiled core runs on the CPU")
        engine = "onnxruntime"
    return _LoadedModels(checked_path(SILERO_VAD), checked_path(DNSMOS_P835), threads, engine, provider or CPU)


def describe_engine(provider: str | None = None) -> dict[str, str]:
    """Say what `load_models` uses on this machine: engine, SIMD paths or provider, and model hashes, by name.

    Raises
    ------
    ModelError
        A model file is missing, damaged or of another version.
    """
    if provider is not None:
        described = {"dnsmos_engine": "onnxruntime", "onnx_provider": provider}
    else:
        try:
            best, *others = simd_paths()
        except ModelError as error:
            described = {"dnsmos_engine": "onnxruntime", "why_not_native": str(error)}
        else:
            described = {"dnsmos_engine": "native", "simd_path": best, "other_simd_paths": ", ".join(others)}
    for name, model in (("dnsmos", DNSMOS_P835), ("silero_vad", SILERO_VAD)):
        described |= {f"{name}_model": str(checked_path(model)), f"{name}_sha256": model.sha256}
    return described


class _LoadedModels:
    def __init__(self, silero_path: Path, dnsmos_path: Path, threads: int, engine: Engine, provider: str) -> None:
        self._silero_path = silero_path
        self._dnsmos_path = dnsmos_path
        self._threads = threads
        self._engine = engine
        self._provider = provider
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
    def _dnsmos(self) -> DnsmosNetwork:
        if self._engine != "onnxruntime":
            try:
                return NativeDnsmosNetwork(self._dnsmos_path, threads=self._threads)
            except ModelError as error:
                if self._engine == "native":
                    raise
                _log.warning(
                    "DNSMOS runs in onnxruntime, with the same numbers but many times slower, because %s. "
                    "Install a C++ compiler and then voicegauge again.",
                    error,
                )
        return OnnxDnsmosNetwork(open_session(self._dnsmos_path, threads=self._threads, provider=self._provider))
