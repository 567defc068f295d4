"""`voicegauge profiles`: what is asked of recordings, by whom, and since when."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from voicegauge.cli.output import tongue_of

__all__ = ["add_command"]


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `profiles` to the command."""
    parser = commands.add_parser(
        "profiles", help="list, show and check profiles", description="Lists, shows and checks profiles."
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="name the profiles that come with voicegauge")
    _add_format(listing)
    listing.set_defaults(run=_list)

    showing = actions.add_parser("show", help="print every range of a profile with its source and date")
    showing.add_argument("profile", metavar="NAME|FILE")
    showing.add_argument("--language", choices=("CN", "EN"), default="CN", help="what is spoken (default: CN)")
    _add_format(showing)
    showing.set_defaults(run=_show)

    checking = actions.add_parser(
        "check",
        help="check profile files; a mistake is named with its line",
        epilog="Exit code: 0 all are right, 2 one is not.",
    )
    checking.add_argument("files", nargs="+", metavar="FILE", type=Path)
    checking.set_defaults(run=_check)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")


def _list(flags: argparse.Namespace) -> int:
    from voicegauge.profiles.loader import load_profile, profile_names
    from voicegauge.reports.profiles import print_profiles, profile_to_json

    profiles = [load_profile(name, "CN") for name in profile_names()]
    if flags.format == "json":
        _dump([profile_to_json(profile) for profile in profiles])
    else:
        from rich.console import Console

        print_profiles(profiles, Console(highlight=False), tongue_of(os.environ))
    return 0


def _show(flags: argparse.Namespace) -> int:
    from voicegauge.profiles.loader import load_profile
    from voicegauge.reports.profiles import print_profile, profile_to_json

    profile = load_profile(flags.profile, flags.language)
    if flags.format == "json":
        _dump(profile_to_json(profile))
    else:
        from rich.console import Console

        print_profile(profile, Console(highlight=False), tongue_of(os.environ))
    return 0


def _check(flags: argparse.Namespace) -> int:
    from voicegauge.errors import ProfileError
    from voicegauge.profiles.loader import load_profile

    wrong = 0
    for file in flags.files:
        try:
            profile = load_profile(file, "CN")
        except ProfileError as error:
            print(f"voicegauge: {error}", file=sys.stderr)
            wrong += 1
        else:
            print(f'{file}: ok, profile "{profile.name}"')
    return 2 if wrong else 0


def _dump(document: object) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    print()
