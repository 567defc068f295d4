"""docs/operations.md and docs/scaling.md name what there is: settings, tables, the sum of bench/capacity.py."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from voicegauge.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def settings_rows() -> list[str]:
    rows = []
    for setting in fields(Settings):
        flag = setting.name.replace("_", "-")
        default = "" if setting.default in ("", False) else f"`{setting.default}`"
        what = setting.metadata["help"]
        rows.append(f"| `--{flag}` | `VOICEGAUGE_{setting.name.upper()}` | {default} | {what} |".replace("|  |", "| |"))
    return rows


def test_the_settings_are_those_there_are() -> None:
    assert re.findall(r"^\| `--.*$", PAGE, re.MULTILINE) == settings_rows()


def test_every_table_is_described() -> None:
    pytest.importorskip("sqlalchemy")
    from voicegauge.identity.tables import metadata
    from voicegauge.jobs.tables import jobs

    tables = {*metadata.tables, *jobs.metadata.tables}
    assert {name for name in tables if f"`{name}`" not in PAGE} == set()


def test_the_sum_is_the_one_that_is_printed() -> None:
    printed = subprocess.run(
        [sys.executable, "bench/capacity.py"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert len(printed.splitlines()) > 10
    assert printed in (ROOT / "docs/scaling.md").read_text(encoding="utf-8")
