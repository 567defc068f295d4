"""What the models of this installation are, and what runs them, without opening them."""

from __future__ import annotations

import numpy as np

from voicegauge._version import __version__
from voicegauge.assessment.data import reverb_weights
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD, ModelFile
from voicegauge.models.loading import describe_engine

__all__ = ["model_stamps"]


def model_stamps(provider: str | None = None) -> tuple[ModelStamp, ...]:
    """Return one stamp for each learned model; `provider` is the one `load_models` was given.

    Raises
    ------
    ModelError
        A model file is missing or not the expected one.
    """
    import onnxruntime

    runtime = f"onnxruntime {onnxruntime.__version__}"
    engine = describe_engine(provider)
    core = f"voicegauge {__version__} core, {engine['simd_path']}" if engine["dnsmos_engine"] == "native" else runtime
    return (
        _stamp("dnsmos_p835", DNSMOS_P835, core),
        _stamp("silero_vad", SILERO_VAD, runtime),
        ModelStamp(
            "reverb_c50",
            "voicegauge/assessment/data/reverb_weights.py",
            reverb_weights.PROVENANCE["sha256"],
            f"numpy {np.__version__}",
        ),
    )


def _stamp(name: str, model: ModelFile, engine: str) -> ModelStamp:
    return ModelStamp(name, f"{model.package} {model.version}: {model.path}", model.sha256, engine)
