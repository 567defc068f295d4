"""The learned models: found in the packages that bring them, checked, and run.

Files: `files` finds and checks them, `sessions` opens them in onnxruntime, `voice_activity` and `dnsmos_onnx` run
them, `loading` puts them together behind :class:`voicegauge.assessment.ports.Models`.
"""

from voicegauge.models.loading import load_models

__all__ = ["load_models"]
