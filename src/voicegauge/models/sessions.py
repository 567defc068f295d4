"""Opens a model in onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicegauge.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["open_session"]

_ERRORS_ONLY = 3


def open_session(path: Path, *, threads: int) -> InferenceSession:
    """Open a model on the CPU.

    Parameters
    ----------
    path : Path
    threads : int > 0
        How many threads one run may use. They sleep, rather than spin, between runs, so that several
        processes share the machine well.

    Raises
    ------
    ModelError
        onnxruntime cannot read the file.
    """
    # Importing onnxruntime costs as much as everything else at start-up.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its warnings are about the models' unused parts and the graph optimiser; nobody can act on them.
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"onnxruntime {onnxruntime.__version__} cannot open the model {path}: {error}") from error
