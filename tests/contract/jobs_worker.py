"""A worker that works on the scripted jobs of a folder until standard input ends."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from tests.contract.scripted_pipeline import HANG_S, ScriptedPipeline


def main() -> None:
    # Here and not above, because every child process imports this module anew.
    import dataclasses
    import logging

    from tests.contract.jobs_harness import SETTINGS
    from voicegauge.database import open_database, upgrade
    from voicegauge.jobs.engine import JobEngine
    from voicegauge.jobs.store import JobStore

    logging.basicConfig()
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("database")
    parser.add_argument("--lease-ttl-s", type=float, default=SETTINGS.lease_ttl_s)
    parser.add_argument("--processes", type=int, default=SETTINGS.processes)
    parser.add_argument("--drain-s", type=float, default=0.0, help="how long to drain at the end")
    parser.add_argument("--gate-after-verdict", action="store_true")
    options = parser.parse_args()
    if options.gate_after_verdict:
        succeed = JobStore.succeed

        def succeed_and_wait(self: JobStore, job_id: str, run: int, result: dict[str, Any]) -> bool:
            recorded = succeed(self, job_id, run, result)
            (options.folder / "verdict.reached").touch()
            time.sleep(HANG_S)
            return recorded

        JobStore.succeed = succeed_and_wait  # type: ignore[method-assign,assignment]
    database = open_database(options.database)
    upgrade(database, backup_folder=None)
    settings = dataclasses.replace(SETTINGS, lease_ttl_s=options.lease_ttl_s, processes=options.processes)
    lock_file = options.folder / "worker.lock"
    engine = JobEngine(database, ScriptedPipeline(options.folder), settings, lock_file=lock_file)
    engine.start()
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.read()
    engine.drain(options.drain_s)
    database.dispose()


if __name__ == "__main__":
    main()
