"""The `voicegauge` command."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence

from voicegauge._version import __version__
from voicegauge.cli import assess, doctor, explain, jobs, judge, profiles, service
from voicegauge.errors import VoicegaugeError

__all__ = ["main"]

EXIT_UNUSABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    # Recordings are measured side by side: threads that numpy's BLAS spins up for one only take from the others.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    # What a command imports stays; looking through it for garbage again and again is a tenth of a short command.
    gc.set_threshold(50_000)
    parser = argparse.ArgumentParser(
        prog="voicegauge",
        description="Tells you, before you pay for voice training, whether your recordings are good enough,"
        " and what to do where they are not.",
    )
    parser.add_argument("--version", action="version", version=f"voicegauge {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (assess, judge, explain, profiles, doctor):
        command.add_command(commands)
    service.add_commands(commands)
    jobs.add_command(commands)
    flags = parser.parse_args(arguments)
    try:
        return int(flags.run(flags))
    except VoicegaugeError as error:
        print(f"voicegauge: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except KeyboardInterrupt:
        print("voicegauge: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left, as `head` does; that is no failure of ours.
        sys.stderr.close()
        return 0
