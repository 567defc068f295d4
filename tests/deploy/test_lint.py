"""What others' linters and schemas say of deploy/. All of them are bundled, so nothing is fetched."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sysconfig.get_path("scripts"))
# Described by KEDA and kustomize, of whose schemas none is bundled.
NOT_OF_KUBERNETES = {"worker-scaling.yaml", "kustomization.yaml"}
MANIFESTS = sorted(
    path.name for path in (ROOT / "deploy/kubernetes").glob("*.yaml") if path.name not in NOT_OF_KUBERNETES
)


def says(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


# The oldest that knows all we use (preStop's sleep), and the newest that is bundled.
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_knows_every_field(version: str) -> None:
    paths = [f"deploy/kubernetes/{name}" for name in MANIFESTS]
    answer = says("kubernetes-validate", "--strict", "-k", version, *paths)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    # It passes over what it has no schema for, with a warning.
    assert "WARN" not in answer.stdout + answer.stderr
    assert (answer.stdout + answer.stderr).count("passed for resource") >= len(paths)


def test_compose_knows_every_field() -> None:
    answer = says("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_dockerfile_has_no_known_flaw() -> None:
    answer = says("hadolint", "--failure-threshold", "info", "deploy/Dockerfile")
    assert answer.returncode == 0, answer.stdout + answer.stderr
