"""`voicegauge explain`: what a number is and what it rests on."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from voicegauge._version import __version__
from voicegauge.assessment.values import Fact, Judged, Property
from voicegauge.cli.output import tongue_of

__all__ = ["add_command"]

_KNOWN: dict[str, Judged] = {str(judged): judged for judged in (*Property, *Fact)}


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `explain` to the command."""
    parser = commands.add_parser(
        "explain",
        help="say what a measurement is, how it is made, what it needs and how far it can be off",
        description="Prints the definition, unit, direction, window, evidence needed, stated error, models and sources"
        " of a measurement, or of all.",
    )
    parser.add_argument(
        "property", nargs="?", choices=list(_KNOWN), metavar="PROPERTY", help=f"one of: {', '.join(_KNOWN)}"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> int:
    from voicegauge.models.stamps import model_stamps
    from voicegauge.profiles.loader import load_profile
    from voicegauge.reports.explained import explanation_to_json, print_explanations
    from voicegauge.settings import onnx_provider

    asked = [_KNOWN[flags.property]] if flags.property else list(_KNOWN.values())
    labels, models = load_profile("default", "CN").labels, model_stamps(onnx_provider())
    if flags.format == "json":
        document = {
            "voicegauge": __version__,
            "definitions": [explanation_to_json(judged, labels[judged], models) for judged in asked],
        }
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        print()
        return 0
    from rich.console import Console

    print_explanations(asked, labels, models, Console(highlight=False), tongue_of(os.environ))
    return 0
