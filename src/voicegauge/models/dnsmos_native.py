"""The DNSMOS P.835 network in our own compiled core, some thirty times faster than window by window.

The core computes each convolution once for the whole recording, skips the zeros that ReLU leaves, and computes anew
only what differs at each window's edges; docs/performance.md has the figures. Its source is the folder `native`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
import weakref
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples
from voicegauge.errors import ModelError

__all__ = ["CORE_MODULE", "NativeDnsmosNetwork", "NativeDnsmosStream", "load_core", "simd_paths"]

# It is found like a Python module, so that editable installations work, but it is a plain shared library.
CORE_MODULE = "voicegauge.models._dnsmos"

_SCORES = 3
_ERROR_BYTES = 500


class NativeDnsmosNetwork:
    """Raw SIG, BAK and OVRL of each window; implements `DnsmosNetwork`.

    The same recording gives the same bits for any number of threads and any blocks.

    Parameters
    ----------
    path : Path
        The network's ONNX file.
    threads : int > 0
        How many threads one recording may use.
    simd_path : str or None
        One of `simd_paths()`; None takes the best.

    Raises
    ------
    ModelError
        The core is not installed, or cannot read the file.
    """

    def __init__(self, path: Path, *, threads: int = 1, simd_path: str | None = None) -> None:
        self._core = load_core()
        self._threads = threads
        self.simd_path = simd_path or simd_paths()[0]
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        self._handle = self._core.vg_network_open(bytes(path), self.simd_path.encode(), error, len(error))
        if not self._handle:
            raise ModelError(f"The DNSMOS core cannot use the model {path}: {error.value.decode(errors='replace')}")
        weakref.finalize(self, self._core.vg_network_close, self._handle)

    def open_stream(self) -> NativeDnsmosStream:
        """Start a recording."""
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        handle = self._core.vg_stream_open(self._handle, self._threads, error, len(error))
        if not handle:
            raise MemoryError(error.value.decode(errors="replace"))
        return NativeDnsmosStream(self._core, handle)


class NativeDnsmosStream:
    """One recording on its way through the network; implements `DnsmosStream`.

    It holds some 25 seconds of the recording, however long that is, and works without Python's lock.
    """

    def __init__(self, core: ctypes.CDLL, handle: int) -> None:
        self._core = core
        self._handle = handle
        self._busy = threading.Lock()
        weakref.finalize(self, core.vg_stream_close, handle)

    def push(self, samples: Samples) -> None:
        """Take samples, shape (n,), any n."""
        block = np.ascontiguousarray(samples, dtype=np.float32)
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        with self._busy:
            failed = self._core.vg_stream_push(self._handle, block.ctypes.data, block.size, error, len(error))
        if failed:
            raise MemoryError(error.value.decode(errors="replace"))

    def finish(self) -> npt.NDArray[np.float32]:
        """Return shape (windows, 3): raw SIG, BAK, OVRL; no row where the recording is shorter than a window."""
        scores = ctypes.POINTER(ctypes.c_float)()
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        with self._busy:
            windows = self._core.vg_stream_finish(self._handle, ctypes.byref(scores), error, len(error))
        if windows < 0:
            raise MemoryError(error.value.decode(errors="replace"))
        if windows == 0:
            return np.empty((0, _SCORES), dtype=np.float32)
        return np.ctypeslib.as_array(scores, (windows, _SCORES)).copy()


@cache
def load_core() -> ctypes.CDLL:
    """Load the compiled core.

    Raises
    ------
    ModelError
        It was not built when this package was installed, or cannot be loaded here.
    """
    found = importlib.util.find_spec(CORE_MODULE)
    if found is None or found.origin is None:
        raise ModelError("the compiled DNSMOS core is not part of this installation")
    try:
        core = ctypes.CDLL(found.origin)
    except OSError as error:
        raise ModelError(f"the compiled DNSMOS core {found.origin} cannot be loaded: {error}") from error
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    core.vg_simd_paths.argtypes, core.vg_simd_paths.restype = [], text
    core.vg_network_open.argtypes, core.vg_network_open.restype = [text, text, text, size], pointer
    core.vg_network_close.argtypes, core.vg_network_close.restype = [pointer], None
    core.vg_stream_open.argtypes, core.vg_stream_open.restype = [pointer, ctypes.c_int, text, size], pointer
    core.vg_stream_close.argtypes, core.vg_stream_close.restype = [pointer], None
    core.vg_stream_push.argtypes, core.vg_stream_push.restype = [pointer, pointer, size, text, size], ctypes.c_int
    core.vg_stream_finish.argtypes = [pointer, ctypes.POINTER(ctypes.POINTER(ctypes.c_float)), text, size]
    core.vg_stream_finish.restype = ctypes.c_long
    return core


def simd_paths() -> tuple[str, ...]:
    """Return the instruction sets that the core can use on this processor, best first; raises as `load_core`."""
    return tuple(load_core().vg_simd_paths().decode().split(","))
