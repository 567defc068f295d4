"""`voicegauge jobs`: for whoever runs the service: what became of jobs, and another try or an end for one."""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voicegauge import settings
from voicegauge.cli.output import tongue_of
from voicegauge.cli.service import import_service
from voicegauge.errors import MachineError, UsageError

if TYPE_CHECKING:
    from voicegauge.jobs.job import Job
    from voicegauge.reports.tables import Tongue
    from voicegauge.service import OperatorDesk

__all__ = ["add_command", "age_words", "verdict_summary"]

STATES = ("CREATING", "WAITING", "PROCESSING", "SUCCEED", "FAILED")

HEADINGS = {
    "job_id": ("任务", "Job"),
    "state": ("状态", "State"),
    "created": ("创建", "Created"),
    "updated": ("更新", "Updated"),
    "project_id": ("项目", "Project"),
    "language": ("语言", "Language"),
    "app_user_id": ("用户", "User"),
    "run": ("第几次", "Run"),
    "chunks": ("进度", "Chunks"),
    "upload": ("上传", "Upload"),
    "failure": ("失败", "Failure"),
    "verdict": ("结论", "Verdict"),
    "advice": ("建议", "Advice"),
    "outcome": ("结果", "Outcome"),
}


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `jobs` to the command."""
    actions = commands.add_parser(
        "jobs",
        help="list, show, retry and cancel the jobs of the service",
        description="Lists, shows, retries and cancels jobs of every project. For whoever runs the service: it asks the"
        " database, so it needs no access key and works while the service does not.",
    ).add_subparsers(title="actions", metavar="ACTION", required=True)
    list_ = actions.add_parser("list", help="name the newest jobs, newest first")
    list_.add_argument("--state", action="append", choices=STATES, help="only in this state; may be repeated")
    list_.add_argument("--project", metavar="PROJECT_ID", help="only of this project")
    list_.add_argument("--limit", type=_at_least_one, default=20, metavar="N", help="at most so many (default: 20)")
    show = actions.add_parser("show", help="say everything that is known of a job")
    retry = actions.add_parser("retry", help="give a failed job to the workers again")
    cancel = actions.add_parser("cancel", help="end a job that has not ended; it becomes FAILED")
    for parser in (show, retry, cancel):
        parser.add_argument("job_id", metavar="JOB_ID")
    for parser, run in ((list_, _list), (show, _show), (retry, _retry), (cancel, _cancel)):
        settings.add_flags(parser, "data", "database", "objects")
        parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
        parser.set_defaults(run=run)


def _at_least_one(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _desk(flags: argparse.Namespace) -> OperatorDesk:
    desk: OperatorDesk = import_service().operator_desk(settings.from_flags(flags))
    return desk


def _found(desk: OperatorDesk, job_id: str) -> Job:
    from voicegauge.jobs.errors import JobNotFoundError

    try:
        return desk.store.find(job_id)
    except JobNotFoundError as error:
        raise UsageError(f"there is no job {job_id}; `voicegauge jobs list` names the newest") from error


def _list(flags: argparse.Namespace) -> int:
    from voicegauge.jobs.job import JobState

    states = [JobState(state) for state in flags.state or STATES]
    found = _desk(flags).store.latest(project_id=flags.project, states=states, limit=flags.limit)
    if flags.format == "json":
        _dump([_to_json(job) for job in found])
    elif found:
        _print_jobs(found, tongue_of(os.environ))
    else:
        print(_say(("没有这样的任务", "no such jobs"), tongue_of(os.environ)))
    return 0


def _show(flags: argparse.Namespace) -> int:
    from voicegauge.jobs.census import count_chunks
    from voicegauge.jobs.job import workflow_id

    desk = _desk(flags)
    job = _found(desk, flags.job_id)
    chunks = count_chunks(desk.engine, workflow_id(job.job_id, job.run))
    document = {
        **_to_json(job),
        "object_key": job.object_key,
        "upload": _upload(desk, job),
        "chunks": {"done": chunks.done, "total": chunks.total},
    }
    if flags.format == "json":
        _dump(document)
    else:
        _print_job(job, document, tongue_of(os.environ))
    return 0


def _retry(flags: argparse.Namespace) -> int:
    desk = _desk(flags)
    _found(desk, flags.job_id)
    job = desk.service.retry(flags.job_id)
    return _report(flags, job, f"{job.job_id} waits for a worker again, as run {job.run}")


def _cancel(flags: argparse.Namespace) -> int:
    desk = _desk(flags)
    project_id = _found(desk, flags.job_id).project_id
    job = desk.service.cancel(project_id, flags.job_id)
    return _report(flags, job, f"{job.job_id} is cancelled")


def _report(flags: argparse.Namespace, job: Job, sentence: str) -> int:
    if flags.format == "json":
        _dump(_to_json(job))
    else:
        print(sentence)
    return 0


def _upload(desk: OperatorDesk, job: Job) -> dict[str, Any]:
    """Say what lies in the object store: "stored" with its size, "none", "removed", or "unknown" with the reason."""
    if job.uploads_removed_s is not None:
        return {"state": "removed", "removed_s": job.uploads_removed_s}
    try:
        stat = desk.objects.stat(job.object_key)
    except MachineError as error:
        return {"state": "unknown", "why": str(error)}
    return {"state": "none"} if stat is None else {"state": "stored", "size_bytes": stat.size_bytes}


def _to_json(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "project_id": job.project_id,
        "state": str(job.state),
        "language": job.language,
        "run": job.run,
        "app_user_id": job.app_user_id,
        "created_s": job.created_s,
        "updated_s": job.updated_s,
        "failure": None if job.failure_code is None else {"code": job.failure_code, "reason": job.failure_reason},
        "verdict": None if job.result is None else verdict_summary(job.result),
    }


def verdict_summary(result: dict[str, Any]) -> dict[str, Any]:
    """Cut a result in its documented JSON form down to what a person asks first."""
    outcomes = {name: verdict["within"] for name, verdict in result["verdicts"].items()}
    return {
        "within": result["within"],
        "out_of_range": [name for name, within in outcomes.items() if within is False],
        "not_judged": [name for name, within in outcomes.items() if within is None],
        "recordings": len(result["recordings"]),
        "advice": result["advice"],
    }


def _print_jobs(found: list[Job], tongue: Tongue) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    now_s = time.time()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("job_id", "state", "created", "updated", "project_id", "outcome"):
        table.add_column(_say(HEADINGS[name], tongue), overflow="fold", no_wrap=name in ("job_id", "state"))
    for job in found:
        ages = (age_words(now_s - moment_s, tongue) for moment_s in (job.created_s, job.updated_s))
        table.add_row(job.job_id, str(job.state), *ages, job.project_id, _outcome(job, tongue))
    # Whoever reads it in a pipe wants whole ids, not a fit.
    Console(highlight=False, markup=False).print(table)


def _print_job(job: Job, document: dict[str, Any], tongue: Tongue) -> None:
    now_s = time.time()
    chunks, upload = document["chunks"], document["upload"]
    verdict = document["verdict"]
    values = {
        "job_id": job.job_id,
        "state": str(job.state),
        "project_id": job.project_id,
        "language": job.language,
        "app_user_id": job.app_user_id,
        "created": f"{_moment(job.created_s)}, {age_words(now_s - job.created_s, tongue)}",
        "updated": f"{_moment(job.updated_s)}, {age_words(now_s - job.updated_s, tongue)}",
        "upload": f"{_upload_words(upload, tongue)} ({job.object_key})",
        "run": str(job.run),
        "chunks": f"{chunks['done']} / {chunks['total']}" if chunks["total"] else None,
        "failure": None if job.failure_code is None else f"{job.failure_code}: {job.failure_reason}",
        "verdict": None if verdict is None else _outcome(job, tongue),
        "advice": None if verdict is None else verdict["advice"][tongue],
    }
    from rich.cells import cell_len

    names = {name: _say(HEADINGS[name], tongue) for name, value in values.items() if value}
    width = max(map(cell_len, names.values())) + 2
    for name, heading in names.items():
        print(heading + " " * (width - cell_len(heading)) + str(values[name]))


def _outcome(job: Job, tongue: Tongue) -> str:
    if job.failure_reason is not None:
        return job.failure_reason
    if job.result is None:
        return ""
    summary = verdict_summary(job.result)
    parts = []
    if summary["out_of_range"]:
        parts.append(_say(("超出范围：", "out of range: "), tongue) + ", ".join(summary["out_of_range"]))
    if summary["not_judged"]:
        parts.append(_say(("无法判断：", "not judged: "), tongue) + ", ".join(summary["not_judged"]))
    return "; ".join(parts) or _say(("全部合格", "all within range"), tongue)


def _upload_words(upload: dict[str, Any], tongue: Tongue) -> str:
    if upload["state"] == "stored":
        return f"{upload['size_bytes'] / 1e6:.1f} MB"
    if upload["state"] == "unknown":
        return _say(("未知：", "unknown: "), tongue) + str(upload["why"])
    if upload["state"] == "removed":
        return _say(("已删除，", "removed, "), tongue) + _moment(upload["removed_s"])
    return _say(("还没有", "nothing yet"), tongue)


def age_words(seconds: float, tongue: Tongue) -> str:
    """Render how long ago something was, in its one largest unit: `3 min ago`, `2 天前`."""
    for unit_s, zh, en in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= unit_s:
            number = int(seconds // unit_s)
            return f"{number} {zh}前" if tongue == "zh" else f"{number} {en} ago"
    return _say(("刚刚", "just now"), tongue)


def _moment(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _say(words: tuple[str, str], tongue: Tongue) -> str:
    zh, en = words
    return zh if tongue == "zh" else en


def _dump(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))
