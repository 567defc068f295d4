"""What a service must survive: real processes killed, frozen, cut off and overloaded; prints a table in Markdown.

    python bench/chaos.py [TRIAL ...] [--keep FOLDER]

Without a TRIAL, all of them, which takes about half an hour. A PostgreSQL and an S3 server that verifies signatures
are started for them. Ends with 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> int:
    # Not above, because the trials are found only with the path from there.
    from tests.chaos.outcome import HEADER
    from tests.chaos.site import running_servers
    from tests.chaos.trials import TRIALS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"one of {', '.join(TRIALS)} (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the logs and data are left")
    arguments = parser.parse_args()
    for name in arguments.trials:
        if name not in TRIALS:
            parser.error(f"there is no trial {name!r}")
    holds = True
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory(prefix="voicegauge-chaos-") as temporary, running_servers() as servers:
        for name in arguments.trials or TRIALS:
            folder = (arguments.keep or Path(temporary)) / name
            folder.mkdir(parents=True)
            outcome = TRIALS[name](folder, servers)
            print(outcome.row(), flush=True)
            holds = holds and outcome.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
