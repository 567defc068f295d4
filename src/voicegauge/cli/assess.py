"""`voicegauge assess`: judge files, folders and zips, here and now. Needs no service and imports none."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicegauge.cli.output import JUDGING_EPILOG, add_judging_options, exit_code, print_assessments, tongue_of
from voicegauge.errors import ArchiveError, UsageError

if TYPE_CHECKING:
    from voicegauge.assessment.profile import Assessment
    from voicegauge.pipeline import Progress

__all__ = ["add_command"]


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `assess` to the command."""
    parser = commands.add_parser(
        "assess",
        help="judge recordings: files, folders and zips, as one body",
        description="Judges recordings as one body of takes."
        " A transcript is a .txt beside a recording, with the same stem.",
        epilog=JUDGING_EPILOG,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an audio file, a folder or a zip")
    parser.add_argument("--language", choices=("CN", "EN"), default="CN", help="what is spoken (default: CN)")
    add_judging_options(parser)
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


def _at_least_one(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _run(flags: argparse.Namespace) -> int:
    from voicegauge.pipeline import assess
    from voicegauge.profiles.loader import load_profile
    from voicegauge.rejudge import judge_again

    first, *others = flags.profile or ["default"]
    for profile in others:
        # A mistake in it should show before everything is measured.
        load_profile(profile, flags.language)
    try:
        with _progress_bar() as on_progress:
            assessment = assess(
                flags.paths,
                language=flags.language,
                profile=first,
                jobs=flags.jobs,
                on_progress=on_progress,
            )
    except ArchiveError as error:
        raise UsageError(f"{', '.join(flags.paths)}: {error}") from error
    assessments = [assessment, *(judge_again(assessment, profile) for profile in others)]
    if flags.labels is not None:
        _write_labels(assessment, flags.labels)
    print_assessments(assessments, flags.format)
    return exit_code(assessments)


def _write_labels(assessment: Assessment, folder: Path) -> None:
    from voicegauge.reports.labels import write_labels

    try:
        write_labels(assessment, folder, tongue_of(os.environ))
    except OSError as error:
        raise UsageError(f"--labels {folder}: {error.strerror}; give a folder that can be written") from error


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
