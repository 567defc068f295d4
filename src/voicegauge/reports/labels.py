"""Findings as labels for other programs: Audacity label tracks, Praat TextGrids, and a CSV of all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from voicegauge.assessment.profile import Assessment
from voicegauge.assessment.values import Finding, RecordingMeasurements
from voicegauge.reports.finding_words import name_words
from voicegauge.reports.words import SEVERITY_WORDS

if TYPE_CHECKING:
    from voicegauge.reports.tables import Tongue

__all__ = ["audacity_labels", "findings_csv", "textgrid", "write_labels"]

_CSV_DETAILS = (
    *("count", "frequency_hz", "level_db", "bandwidth_hz", "percent_of_full_scale", "below_speech_db", "jump_db"),
    *("relative_rate", "lowest_mos", "median_mos", "silent_share_of_pauses", "channel", "correlation"),
    *("difference_db", "difference_percent"),
)


def audacity_labels(recording: RecordingMeasurements, tongue: Tongue) -> str:
    """Render the findings as an Audacity label track: start, end and label in seconds, parted by tabs.

    A finding about the whole file reaches over all of it.
    """
    return "".join(
        f"{start_s:.6f}\t{end_s:.6f}\t{_label(item, tongue)}\n"
        for item, start_s, end_s in sorted(_placed(recording), key=lambda placed: placed[1:])
    )


def textgrid(recording: RecordingMeasurements, tongue: Tongue) -> str:
    """Render the findings as a Praat TextGrid with an interval tier for each kind.

    Where two findings of a kind overlap, the later one begins where the earlier ends. A recording without findings has
    one empty tier, because Praat opens no TextGrid without tiers.
    """
    duration_s = recording.duration_s or 0.0
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    for item, start_s, end_s in sorted(_placed(recording), key=lambda placed: placed[1:]):
        tiers.setdefault(item.kind, []).append((start_s, end_s, _label(item, tongue)))
    named = tiers or {"findings": []}
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {duration_s:.6f}",
        "tiers? <exists>",
        f"size = {len(named)}",
        "item []:",
    ]
    for number, (kind, marked) in enumerate(named.items(), 1):
        intervals = _without_gaps(marked, duration_s)
        lines += [
            f"    item [{number}]:",
            '        class = "IntervalTier"',
            f"        name = {_quoted(kind)}",
            "        xmin = 0",
            f"        xmax = {duration_s:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for index, (start_s, end_s, label) in enumerate(intervals, 1):
            lines += [
                f"        intervals [{index}]:",
                f"            xmin = {start_s:.6f}",
                f"            xmax = {end_s:.6f}",
                f"            text = {_quoted(label)}",
            ]
    return "\n".join(lines) + "\n"


def findings_csv(assessment: Assessment) -> str:
    """Render one line for each finding of each recording; a figure that a kind does not have is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["recording", "kind", "severity", "start_s", "end_s", "affected_s", *_CSV_DETAILS, "message_zh", "message_en"]
    )
    for recording in assessment.recordings:
        for item in recording.findings:
            writer.writerow(
                [recording.name, item.kind, str(item.severity), item.start_s, item.end_s, item.affected_s]
                + [item.details.get(key) for key in _CSV_DETAILS]
                + [item.message.zh, item.message.en]
            )
    return text.getvalue()


def write_labels(assessment: Assessment, folder: Path, tongue: Tongue) -> None:
    """Write `NAME.labels.txt` and `NAME.TextGrid` for every readable recording, and `findings.csv` for all.

    Folders inside `folder` follow the recordings' names, and NAME is without its suffix unless two would be the same.
    No name is one of a transcript, so that `folder` may be the one with the recordings. Files that are there already
    are replaced.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "findings.csv").write_text(findings_csv(assessment), encoding="utf-8")
    readable = [recording for recording in assessment.recordings if recording.duration_s]
    for recording, stem in zip(readable, _stems([recording.name for recording in readable]), strict=True):
        target = folder / stem
        target.parent.mkdir(parents=True, exist_ok=True)
        for suffix, text in (
            (".labels.txt", audacity_labels(recording, tongue)),
            (".TextGrid", textgrid(recording, tongue)),
        ):
            target.with_name(target.name + suffix).write_text(text, encoding="utf-8")


def _placed(recording: RecordingMeasurements) -> Iterable[tuple[Finding, float, float]]:
    """The findings with a start and an end inside the recording."""
    duration_s = recording.duration_s or 0.0
    for item in recording.findings:
        start_s = min(item.start_s or 0.0, duration_s)
        end_s = duration_s if item.end_s is None else min(max(item.end_s, start_s), duration_s)
        yield item, start_s, end_s


def _label(item: Finding, tongue: Tongue) -> str:
    name, severity = name_words(item.kind), SEVERITY_WORDS[item.severity]
    return f"{name.zh}（{severity.zh}）" if tongue == "zh" else f"{name.en} ({severity.en})"


def _without_gaps(marked: Sequence[tuple[float, float, str]], duration_s: float) -> list[tuple[float, float, str]]:
    """Fill the time between marked intervals with empty ones, since a Praat tier has no gaps."""
    intervals: list[tuple[float, float, str]] = []
    at_s = 0.0
    for start_s, end_s, label in marked:
        start_s = max(start_s, at_s)
        # Praat refuses intervals without length.
        if end_s <= start_s:
            continue
        if start_s > at_s:
            intervals.append((at_s, start_s, ""))
        intervals.append((start_s, end_s, label))
        at_s = end_s
    if at_s < duration_s or not intervals:
        intervals.append((at_s, duration_s, ""))
    return intervals


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _stems(names: Sequence[str]) -> list[str]:
    """Relative paths for the recordings' files, without suffixes where that leaves them distinct."""
    safe = [
        PurePosixPath(*[part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in {"/", ".", ".."}])
        for name in names
    ]
    bare = [str(path.with_suffix("")) for path in safe]
    return [stem if bare.count(stem) == 1 else str(path) for stem, path in zip(bare, safe, strict=True)]
