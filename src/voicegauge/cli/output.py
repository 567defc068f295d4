"""What commands print about assessments, and the exit codes that go with it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicegauge.assessment.profile import Assessment
    from voicegauge.reports.tables import Tongue

__all__ = ["EXIT_CODES", "JUDGING_EPILOG", "add_judging_options", "exit_code", "print_assessments", "tongue_of"]

EXIT_CODES: dict[bool | None, int] = {True: 0, False: 1, None: 2}

JUDGING_EPILOG = (
    "Exit code: 0 all within range, 1 something out of range, 2 could not judge or wrong usage;"
    " of several profiles the worst, with 1 worse than 2."
)


def add_judging_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `assess` and `judge` share."""
    parser.add_argument(
        "--profile",
        action="extend",
        type=_names,
        metavar="NAME|FILE[,...]",
        help="whose ranges to judge by; several, with commas or by repeating it, are compared (default: default)",
    )
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="(default: table)")


def tongue_of(environment: Mapping[str, str]) -> Tongue:
    """Return the language to talk to this person in: Chinese where the locale says so, else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            return "zh" if environment[variable].lower().startswith("zh") else "en"
    return "en"


def print_assessments(assessments: Sequence[Assessment], form: str) -> None:
    """Print one body of recordings, as one profile judges it or as several do."""
    if form == "json":
        from voicegauge.reports.result import assessment_to_json, assessments_to_json

        several = len(assessments) > 1
        document = assessments_to_json(assessments) if several else assessment_to_json(assessments[0])
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
        return
    from voicegauge.reports.tables import csv_text, print_comparison, print_table

    if form == "csv":
        print(csv_text(assessments), end="")
        return
    from rich.console import Console

    console, tongue = Console(highlight=False), tongue_of(os.environ)
    if len(assessments) > 1:
        print_comparison(assessments, console, tongue)
    else:
        print_table(assessments[0], console, tongue)


def exit_code(assessments: Sequence[Assessment]) -> int:
    """Return the worst: out of range, then not judged, then within."""
    outcomes = [assessment.within for assessment in assessments]
    return EXIT_CODES[False if False in outcomes else None if None in outcomes else True]


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name in it; write them as NAME,NAME")
    return names
