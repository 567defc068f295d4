"""The files of deploy/, read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

Document = dict[str, Any]


def kubernetes(kind: str | None = None) -> list[Document]:
    """Return every document of deploy/kubernetes, of one kind where it is named."""
    documents = [
        document
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    return [document for document in documents if kind in (None, document["kind"])]


def compose() -> Document:
    document: Document = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return document


def workloads() -> dict[str, Document]:
    """Return the pod specifications of Kubernetes, by the name of what makes them."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]
        for kind in ("Deployment", "Job")
        for document in kubernetes(kind)
    }


def container(pod: Document) -> Document:
    (only,) = pod["containers"]
    found: Document = only
    return found


def environment(pod: Document) -> dict[str, str]:
    """Return what a container's environment holds, the shared configuration included."""
    (config,) = kubernetes("ConfigMap")
    own = {variable["name"]: variable["value"] for variable in container(pod).get("env", ())}
    return {**config["data"], **own}


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def pins(path: Path) -> set[str]:
    """Return the versions that a lock pins, such as `alembic==1.20.1`."""
    return set(re.findall(r"^([a-z0-9._-]+==[^ \\]+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def mebibytes(quantity: str) -> float:
    """Read Kubernetes' and compose's sizes."""
    match = re.fullmatch(r"(\d+)(Gi|Mi|g|m)", quantity)
    assert match, quantity
    return int(match[1]) * {"Gi": 1024, "g": 1024}.get(match[2], 1)
