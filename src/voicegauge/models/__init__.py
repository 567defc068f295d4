"""The learned models: found in the packages that bring them, checked, and run.

Files: `files` finds and checks them; `sessions` opens them in onnxruntime, where `voice_activity` and `dnsmos_onnx` run
them; `dnsmos_native` runs DNSMOS in our own compiled core; `loading` picks, and puts them together behind
:class:`voicegauge.assessment.ports.Models`.
"""

from voicegauge.models.loading import Engine, describe_engine, load_models

__all__ = ["Engine", "describe_engine", "load_models"]
