"""`voicegauge assess`: judge files, folders and zips, here and now. Needs no service and imports none."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicegauge.errors import ArchiveError, UsageError

if TYPE_CHECKING:
    from voicegauge.assessment.profile import Assessment
    from voicegauge.pipeline import Progress
    from voicegauge.reports.words import Tongue

__all__ = ["EXIT_CODES", "add_command"]

EXIT_CODES: dict[bool | None, int] = {True: 0, False: 1, None: 2}


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `assess` to the command."""
    parser = commands.add_parser(
        "assess",
        help="judge recordings: files, folders and zips, as one body",
        description="Judges recordings as one body of takes."
        " A transcript is a .txt beside a recording, with the same stem.",
        epilog="Exit code: 0 all within range, 1 something out of range, 2 could not judge or wrong usage.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an audio file, a folder or a zip")
    parser.add_argument("--language", choices=("CN", "EN"), default="CN", help="what is spoken (default: CN)")
    parser.add_argument(
        "--profile", default="default", metavar="NAME|FILE", help="whose ranges to judge by (default: default)"
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="(default: table)")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="DIR",
        help="also write the findings there: Audacity labels and a Praat TextGrid for each recording, and findings.csv",
    )
    parser.add_argument(
        "--jobs", type=_at_least_one, metavar="N", help="recordings measured at a time (default: one per processor)"
    )
    parser.set_defaults(run=_run)


def tongue_of(environment: Mapping[str, str]) -> Tongue:
    """Return the language to talk to this person in: Chinese where the locale says so, else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            return "zh" if environment[variable].lower().startswith("zh") else "en"
    return "en"


def _at_least_one(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _run(flags: argparse.Namespace) -> int:
    from voicegauge.pipeline import assess

    try:
        with _progress_bar() as on_progress:
            assessment = assess(
                flags.paths,
                language=flags.language,
                profile=flags.profile,
                jobs=flags.jobs,
                on_progress=on_progress,
            )
    except ArchiveError as error:
        raise UsageError(f"{', '.join(flags.paths)}: {error}") from error
    if flags.labels is not None:
        _write_labels(assessment, flags.labels)
    _print(assessment, flags.format)
    return EXIT_CODES[assessment.within]


def _write_labels(assessment: Assessment, folder: Path) -> None:
    from voicegauge.reports.labels import write_labels

    try:
        write_labels(assessment, folder, tongue_of(os.environ))
    except OSError as error:
        raise UsageError(f"--labels {folder}: {error.strerror}; give a folder that can be written") from error


def _print(assessment: Assessment, form: str) -> None:
    if form == "json":
        from voicegauge.reports.result import assessment_to_json

        json.dump(assessment_to_json(assessment), sys.stdout, ensure_ascii=False, indent=2)
        print()
    elif form == "csv":
        from voicegauge.reports.tables import csv_text

        print(csv_text(assessment), end="")
    else:
        from rich.console import Console

        from voicegauge.reports.tables import print_table

        print_table(assessment, Console(highlight=False), tongue_of(os.environ))


@contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """Show a bar on standard error while it is a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from voicegauge.reports.words import duration_words

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[audio]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, audio="")

        def show(progress: Any) -> None:
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                audio=duration_words(progress.audio_s) + " of audio",
            )

        yield show
