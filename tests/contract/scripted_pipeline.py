"""A pipeline whose uploads are small JSON scripts. Child processes import this, so it imports little.

An upload is `{"plan": ACTIONS, "recordings": {NAME: ACTIONS}, "conclude": ACTIONS}`, ACTIONS a list of `ok`, `die`,
`die_once`, `hang`, `nap`, `sleep:SECONDS`, `eat` (memory, all at once), `swell` (by and by), `raise`, `archive`,
`machine` and `gate`. A gate tells that it was reached and waits to be opened; `machine` raises MachineError until its
place is opened. Every measurement adds a line to the upload's journal, so a test can count what really ran.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegauge.errors import ArchiveError, MachineError

PATIENCE_S = 120.0
HANG_S = 600.0
NAP_S = 0.2
# Bounded, so that a missing limit does not take the machine with it.
SWELL_MB = 4096


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Wait, within bounds, until a condition holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
        time.sleep(0.01)


@dataclass(frozen=True)
class ScriptedPipeline:
    """Plays the scripts that lie in a folder."""

    folder: Path

    def write(self, object_key: str, script: dict[str, Any]) -> None:
        """Lay a script down as the upload of a job."""
        path = self.folder / object_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(script))

    def reached(self, object_key: str, gate: str) -> bool:
        return self._file(object_key, gate, "reached").exists()

    def open(self, object_key: str, gate: str) -> None:
        self._file(object_key, gate, "open").touch()

    def journal(self, object_key: str) -> list[str]:
        path = self._file(object_key, "", "journal")
        return path.read_text().split() if path.exists() else []

    def calls(self, object_key: str) -> list[int]:
        """How many recordings each call was to measure."""
        path = self._file(object_key, "", "calls")
        return [int(number) for number in path.read_text().split()] if path.exists() else []

    def plan(self, object_key: str) -> list[tuple[str, float]]:
        script = self._script(object_key)
        self._act(object_key, "plan", script.get("plan", ()))
        return [(name, 1.0) for name in script["recordings"]]

    def measure(self, object_key: str, names: Sequence[str], language: str) -> list[dict[str, Any]]:
        script = self._script(object_key)
        with self._file(object_key, "", "calls").open("a") as calls:
            calls.write(f"{len(names)}\n")
        measured = []
        for name in names:
            with self._file(object_key, "", "journal").open("a") as journal:
                journal.write(f"{name}\n")
            self._act(object_key, name, script["recordings"][name])
            measured.append({"name": name, "language": language})
        return measured

    def conclude(self, object_key: str, measured: Sequence[dict[str, Any]], language: str) -> dict[str, Any]:
        self._act(object_key, "conclude", self._script(object_key).get("conclude", ()))
        return {"language": language, "recordings": [recording["name"] for recording in measured]}

    def _script(self, object_key: str) -> dict[str, Any]:
        script: dict[str, Any] = json.loads((self.folder / object_key).read_text())
        return script

    def _file(self, object_key: str, gate: str, kind: str) -> Path:
        return self.folder / f"{object_key}.{gate}.{kind}"

    def _act(self, object_key: str, place: str, actions: Sequence[str]) -> None:
        for action in actions:
            if action == "gate":
                self._file(object_key, place, "reached").touch()
                wait_for(self._file(object_key, place, "open").exists, f"the gate at {place}")
            elif action == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif action == "die_once":
                try:
                    self._file(object_key, place, "died").touch(exist_ok=False)
                except FileExistsError:
                    continue
                os._exit(3)
            elif action == "hang":
                time.sleep(HANG_S)
            elif action == "nap":
                time.sleep(NAP_S)
            elif action.startswith("sleep:"):
                time.sleep(float(action.removeprefix("sleep:")))
            elif action == "swell":
                hoard = [b"\1" * 2**20 + bytes([number % 256]) for number in range(SWELL_MB)]
                raise AssertionError(f"{len(hoard)} MiB, and nothing put an end to it")
            elif action == "eat":
                bytearray(2**40)
            elif action == "machine":
                if not self._file(object_key, place, "open").exists():
                    raise MachineError("the disk is full")
            elif action == "raise":
                raise ValueError("a flaw in the measurement")
            elif action == "archive":
                raise ArchiveError("corrupt_archive", "压缩包坏了，请重新打包。", "the zip is damaged; pack it again")
