"""Opens a model in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicegauge.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["CPU", "open_session"]

CPU = "CPUExecutionProvider"

_ERRORS_ONLY = 3


def open_session(path: Path, *, threads: int, provider: str = CPU) -> InferenceSession:
    """Open a model.

    Parameters
    ----------
    path : Path
    threads : int > 0
        How many threads one run may use. They sleep, rather than spin, between runs, so that several
        processes share the machine well.
    provider : str
        An onnxruntime execution provider; what it cannot compute is computed on the CPU.

    Raises
    ------
    ModelError
        onnxruntime cannot read the file, or lacks the provider.
    """
    # Importing onnxruntime costs as much as everything else at start-up.
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise ModelError(
            f"This onnxruntime has no {provider}, only {', '.join(onnxruntime.get_available_providers())}; "
            "for CUDA, install onnxruntime-gpu in place of onnxruntime"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its warnings are about the models' unused parts and the graph optimiser; nobody can act on them.
    options.log_severity_level = _ERRORS_ONLY
    providers = list(dict.fromkeys((provider, CPU)))
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        raise ModelError(f"onnxruntime {onnxruntime.__version__} cannot open the model {path}: {error}") from error
