"""Findings as labels: Audacity, Praat (read back by a parser of its own), CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.assessment.test_judge import take
from voicegauge.assessment.judge import judge
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.values import Finding, RecordingMeasurements, Severity, Text
from voicegauge.profiles.loader import load_profile
from voicegauge.reports.labels import audacity_labels, findings_csv, textgrid, write_labels

FOUND = replace(
    take("zip/说 1.wav"),
    duration_s=10.0,
    findings=(
        finding("dc_offset", details={"percent_of_full_scale": 3.0}),
        finding("clipping", start_s=2.5, end_s=3.25, affected_s=0.01, details={"count": 4}),
        finding("clipping", start_s=3.0, end_s=4.0, affected_s=0.01, details={"count": 2}),
        finding("clicks", start_s=9.999979, end_s=10.0),
        Finding('an "odd" kind', Severity.YOUR_CALL, Text("听一听。", "Listen, please."), 0.0, 0.0),
    ),
)

Tiers = dict[str, list[tuple[float, float, str]]]


def parse_textgrid(text: str) -> tuple[float, Tiers]:
    """Read the tokens of a TextGrid in order, as Praat does: numbers, quoted strings and flags; words are comments."""
    tokens = re.findall(r'"((?:[^"]|"")*)"|(?<![\w\[])(-?\d+(?:\.\d+)?)(?![\w\]])|<(exists)>', text)
    values = iter([flag or number or string.replace('""', '"') for string, number, flag in tokens])
    assert next(values) == "ooTextFile"
    assert next(values) == "TextGrid"
    assert float(next(values)) == 0
    duration_s = float(next(values))
    assert next(values) == "exists"
    tiers: Tiers = {}
    for _ in range(int(next(values))):
        assert next(values) == "IntervalTier"
        name = next(values)
        assert (float(next(values)), float(next(values))) == (0, duration_s)
        tiers[name] = [(float(next(values)), float(next(values)), next(values)) for _ in range(int(next(values)))]
    assert next(values, None) is None
    return duration_s, tiers


def assert_tiers_are_whole(duration_s: float, tiers: Tiers) -> None:
    assert tiers
    for intervals in tiers.values():
        assert intervals[0][0] == 0
        assert intervals[-1][1] == duration_s
        for before, after in pairwise(intervals):
            assert before[1] == after[0]
        assert all(start_s < end_s for start_s, end_s, _ in intervals)


def test_audacity_labels_have_start_end_and_text() -> None:
    rows = [line.split("\t") for line in audacity_labels(FOUND, "en").splitlines()]
    assert [(float(start), float(end)) for start, end, _ in rows] == [
        (0.0, 0.0),
        (0.0, 10.0),
        (2.5, 3.25),
        (3.0, 4.0),
        (9.999979, 10.0),
    ]
    assert rows[2][2] == "Clipping (record again)"
    assert "削波" in audacity_labels(FOUND, "zh")


def test_a_textgrid_reads_back_whole() -> None:
    duration_s, tiers = parse_textgrid(textgrid(FOUND, "en"))
    assert duration_s == 10.0
    assert_tiers_are_whole(duration_s, tiers)
    marked = [(start_s, end_s) for start_s, end_s, label in tiers["clipping"] if label]
    assert marked == [(2.5, 3.25), (3.25, 4.0)]
    assert tiers["dc_offset"] == [(0, 10.0, "DC offset (can be fixed)")]
    assert tiers['an "odd" kind'] == [(0, 10.0, "")]


def test_a_textgrid_without_findings_has_an_empty_tier() -> None:
    duration_s, tiers = parse_textgrid(textgrid(take("fine.wav"), "zh"))
    assert_tiers_are_whole(duration_s, tiers)
    assert tiers == {"findings": [(0, 10.0, "")]}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    unreadable = RecordingMeasurements("gone.wav", None, None, None, {}, FOUND.findings[:1])
    takes = [FOUND, take("same.wav"), take("same.flac"), take("../../escape.wav"), unreadable]
    write_labels(judge(takes, load_profile("default", "EN"), version="1"), tmp_path / "new" / "labels", "en")
    return tmp_path / "new" / "labels"


def test_labels_are_written_beside_no_transcript_and_inside_the_folder(written: Path) -> None:
    names = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    assert names == sorted(
        [
            "findings.csv",
            *(
                stem + suffix
                for stem in ("zip/说 1", "same.wav", "same.flac", "escape")
                for suffix in (".labels.txt", ".TextGrid")
            ),
        ]
    )
    assert not (written.parent.parent / "escape.TextGrid").exists()


def test_the_csv_has_a_line_for_each_finding(written: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((written / "findings.csv").read_text(encoding="utf-8"))))
    assert [row["recording"] for row in rows] == ["zip/说 1.wav"] * 5 + ["gone.wav"]
    clipping = rows[1]
    assert (clipping["kind"], clipping["severity"], clipping["count"]) == ("clipping", "reject", "4.0")
    assert (float(clipping["start_s"]), float(clipping["end_s"])) == (2.5, 3.25)
    assert clipping["frequency_hz"] == ""
    assert rows[0]["start_s"] == ""


def test_every_figure_of_a_finding_has_a_column() -> None:
    header = findings_csv(judge([FOUND], load_profile("default", "EN"), version="1")).splitlines()[0].split(",")
    assert {key for item in FOUND.findings for key in item.details} <= set(header)
