"""`voicegauge`, whose worker plays scripts instead of measuring; all the rest is the real thing.

What lies in the object store is a script of :mod:`tests.contract.scripted_pipeline`. The environment says where its
gates and journals are (STAGE), and which of the worker's settings are other than the command sets them (WORKER).
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.contract.scripted_pipeline import ScriptedPipeline

STAGE = "VOICEGAUGE_CHAOS_STAGE"
WORKER = "VOICEGAUGE_CHAOS_WORKER"


@dataclass(frozen=True)
class ScriptedWork(ScriptedPipeline):
    """Plays the scripts that lie in an object store, and tells in the result which processes measured."""

    local_path: Callable[[str], AbstractContextManager[Path]]

    def measure(self, object_key: str, names: Sequence[str], language: str) -> list[dict[str, Any]]:
        return [{**each, "process": os.getpid()} for each in super().measure(object_key, names, language)]

    def conclude(self, object_key: str, measured: Sequence[dict[str, Any]], language: str) -> dict[str, Any]:
        concluded = super().conclude(object_key, measured, language)
        return {**concluded, "processes": [each["process"] for each in measured]}

    def _script(self, object_key: str) -> dict[str, Any]:
        with self.local_path(object_key) as path:
            script: dict[str, Any] = json.loads(path.read_text())
        return script

    def _file(self, object_key: str, gate: str, kind: str) -> Path:
        return staged(self.folder, object_key, gate, kind)


def staged(stage: Path, object_key: str, gate: str, kind: str) -> Path:
    """Return the file of a gate, or of a journal where `gate` is empty."""
    return stage / f"{object_key.replace('/', '_')}.{gate}.{kind}"


def main() -> int:
    # Here and not above, because every child process imports this module anew.
    import dataclasses

    from voicegauge import cli
    from voicegauge.jobs.engine import WorkerSettings
    from voicegauge.service import installation

    def settings(**values: Any) -> WorkerSettings:
        changes = json.loads(os.environ.get(WORKER, "{}"))
        made = WorkerSettings(**values)
        limits = dataclasses.replace(made.limits, **changes.pop("limits", {}))
        return dataclasses.replace(made, limits=limits, **changes)

    work = functools.partial(ScriptedWork, Path(os.environ[STAGE]))
    with patch.multiple(installation, UploadWork=work, WorkerSettings=settings):
        return cli.main()


if __name__ == "__main__":
    sys.exit(main())
