"""What the models of this installation are, without opening them."""

from __future__ import annotations

from importlib.metadata import version

from voicegauge.assessment.data import reverb_weights
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD, ModelFile

__all__ = ["model_stamps"]


def model_stamps() -> tuple[ModelStamp, ...]:
    """Return one stamp for each learned model; the hashes are the ones that loading a model checks."""
    runtime = f"onnxruntime {version('onnxruntime')}"
    return (
        _stamp("dnsmos_p835", DNSMOS_P835, runtime),
        _stamp("silero_vad", SILERO_VAD, runtime),
        ModelStamp(
            "reverb_c50",
            "voicegauge/assessment/data/reverb_weights.py",
            reverb_weights.PROVENANCE["sha256"],
            f"numpy {version('numpy')}",
        ),
    )


def _stamp(name: str, model: ModelFile, engine: str) -> ModelStamp:
    return ModelStamp(name, f"{model.package} {model.version}: {model.path}", model.sha256, engine)
