"""`voicegauge judge`: judge stored measurements again, without the audio."""

from __future__ import annotations

import argparse
from typing import Any

from voicegauge.cli.output import JUDGING_EPILOG, add_judging_options, exit_code, print_assessments

__all__ = ["add_command"]


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `judge` to the command."""
    parser = commands.add_parser(
        "judge",
        help="judge stored measurements again, without the audio",
        description="Judges the measurements of a result, as `voicegauge assess --format json` prints it,"
        " by other profiles. Nothing is measured, so it takes milliseconds.",
        epilog=JUDGING_EPILOG,
    )
    parser.add_argument("result", metavar="RESULT.json", help="a stored result")
    add_judging_options(parser)
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> int:
    from voicegauge.rejudge import judge_again, judge_stored

    first, *others = flags.profile or ["default"]
    assessment = judge_stored(flags.result, first)
    assessments = [assessment, *(judge_again(assessment, profile) for profile in others)]
    print_assessments(assessments, flags.format)
    return exit_code(assessments)
