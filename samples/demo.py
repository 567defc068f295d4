"""The main job, end to end: the bundled samples through the MetaStudio short-job calls with the vendor's own SDK.

Starts the service on a free port with an empty data folder, runs create, PUT, commit and show for the clean set and
for the same set spoiled in known ways, prints the verdicts, and ends with an error when one is not as it should be.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmetastudio.v1 import (
    CommitShortJobRequest,
    CreateShortJobReq,
    CreateShortJobRequest,
    MetaStudioClient,
    ShowShortJobRequest,
)
from rich.console import Console

HERE = Path(__file__).parent
PROPERTIES = ("speed", "sound", "snr", "reverb", "dnsmos_ovrl", "dnsmos_bak")
CAUGHT_BY = {
    "clean": None,
    "noisy": "snr",
    "echoing": "reverb",
    "too-quiet": "sound",
    "clipped": "sound",
    "too-fast": "speed",
}
SHOWN_IN_FULL = ("clean", "echoing")
MARKS = {0: "✓", 1: "✗"}
DEADLINE_S = 900


@dataclass(frozen=True)
class Service:
    """A running service and the key to it."""

    url: str
    access_key: str
    secret_key: str
    project_id: str


@contextmanager
def running_service(data: Path) -> Iterator[Service]:
    """Start `voicegauge serve` on a free port and end it afterwards; its log is `service.log` beside the data."""
    command = [sys.executable, "-c", "import sys; from voicegauge.cli import main; sys.exit(main())"]
    log = data.with_name("service.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*command, "serve", "--port", "0", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
        )
    try:
        assert process.stdout is not None  # noqa: S101
        url = ""
        for line in process.stdout:
            if line.startswith("voicegauge is listening on "):
                url = line.split()[-1]
                break
        if not url:
            sys.exit(f"the service did not start (exit code {process.wait()}):\n{log.read_text()}")
        made = subprocess.run(
            [*command, "keys", "create", "--data", str(data), "--format", "json"],
            check=True,
            capture_output=True,
            text=True,
        )
        yield Service(url, **json.loads(made.stdout))
    finally:
        process.terminate()
        process.wait()


def zipped(folder: Path) -> bytes:
    """Pack a set of takes the way a user would."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return buffer.getvalue()


def submit(client: Any, folder: Path, language: str) -> str:
    """Create a job, PUT the zip to its signed URL, commit; return the job id."""
    created = client.create_short_job(
        CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS", language=language))
    )
    answer = requests.put(
        created.data_uploading_url, data=zipped(folder), headers={"Content-Type": "application/zip"}, timeout=60
    )
    answer.raise_for_status()
    client.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    return str(created.job_id)


def verdict_of(client: Any, job_id: str) -> Any:
    """Ask until the job has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        job = client.show_short_job(ShowShortJobRequest(job_id=job_id))
        if job.state in ("SUCCEED", "FAILED"):
            return job
        time.sleep(0.5)
    sys.exit(f"job {job_id} has not ended after {DEADLINE_S} s")


def show_in_full(console: Console, job: Any, language: str) -> None:
    """Print one verdict with every field the API gives."""
    for name in PROPERTIES:
        entry = getattr(job.assess_result, name)
        mark = MARKS.get(entry.status, "?")
        suggestion = entry.suggestion if language == "CN" else entry.suggestion_en
        console.print(f"  {mark} {name:<12} {entry.actual}  (expected {entry.expected})")
        console.print(f"{'':17}[dim]{suggestion}[/dim]")
    console.print(f"    [bold]{job.assess_result.suggestion}[/bold]\n")


def out_of_range(job: Any) -> list[str]:
    """Return the names of the properties that did not pass."""
    return [name for name in PROPERTIES if getattr(job.assess_result, name).status != 0]


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    wrong = []
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder) / "data") as service:
        console.print(f"voicegauge serves {service.url} from an empty folder; the SDK is the vendor's, unmodified.\n")
        create_as_documented(console, service)
        credentials = BasicCredentials(service.access_key, service.secret_key, service.project_id)
        client = MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(service.url).build()
        for language in ("CN", "EN"):
            jobs = {way: submit(client, HERE / language.lower() / way, language) for way in CAUGHT_BY}
            for way, culprit in CAUGHT_BY.items():
                job = verdict_of(client, jobs[way])
                if job.state != "SUCCEED":
                    wrong.append(f"{language}/{way}: {job.state} {job.job_failed_reason}")
                    continue
                out = out_of_range(job)
                right = culprit in out if culprit else not out
                if not right:
                    wrong.append(
                        f"{language}/{way}: out of range: {out or 'nothing'}; expected: {culprit or 'nothing'}"
                    )
                said = [f"{name} {getattr(job.assess_result, name).actual}" for name in out]
                console.print(
                    f"[bold]{language}/{way:<10}[/bold] {job.state}  {'✗' if out else '✓'} "
                    + ("; ".join(said) or "everything within range")
                )
                if way in SHOWN_IN_FULL:
                    show_in_full(console, job, language)
            console.print()
    for line in wrong:
        console.print(f"[red]{line}")
    console.print("The clean sets pass, and each spoiled set is caught for its own reason." if not wrong else "")
    return 1 if wrong else 0


def create_as_documented(console: Console, service: Service) -> None:
    """Run the create sample of the vendor's page: only the environment says where to go."""
    environment = {
        **os.environ,
        "HUAWEICLOUD_SDK_REGION_METASTUDIO_CN_NORTH_4": service.url,
        "CLOUD_SDK_AK": service.access_key,
        "CLOUD_SDK_SK": service.secret_key,
    }
    sample = HERE / "vendor_create.py"
    done = subprocess.run(
        [sys.executable, str(sample), service.project_id], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{sample.name} failed: {done.stderr}")
    job_id = json.loads(done.stdout)["job_id"]
    console.print(f"The vendor page's create sample, by region name alone: job {job_id}\n")


if __name__ == "__main__":
    sys.exit(main())
