"""An assessment as a table for a terminal, and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal, TypeAlias

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from voicegauge.assessment.profile import Assessment, Verdict
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import (
    PROPERTIES,
    Finding,
    Judged,
    Property,
    RecordingMeasurements,
    Severity,
    Text,
)
from voicegauge.reports.finding_words import name_words, place_words, size_words
from voicegauge.reports.words import (
    DECIMALS,
    SEVERITY_WORDS,
    duration_words,
    expectation_words,
    measurement_words,
    unit_words,
)

__all__ = ["Tongue", "csv_text", "print_comparison", "print_table"]

Tongue: TypeAlias = Literal["zh", "en"]
"""The language a report is written in; it need not be the one that is spoken in the recordings."""

MARKS: dict[bool | None, tuple[str, str]] = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}

SEVERITY_MARKS: dict[Severity, tuple[str, str]] = {
    Severity.REJECT: ("✗", "red"),
    Severity.FIXABLE: ("!", "yellow"),
    Severity.YOUR_CALL: ("?", "cyan"),
}

LISTED_AT_MOST = 40
FINDINGS_OF_RECORDINGS = 20
KINDS_OF_A_RECORDING = 5


def print_table(assessment: Assessment, console: Console, tongue: Tongue) -> None:
    """Print the verdicts, what to do, and the recordings one by one."""
    console.print(_heading(assessment, tongue))
    console.print(_verdict_table(assessment, tongue))
    console.print(_advice(assessment, tongue))
    if len(assessment.recordings) > 1:
        console.print(_recordings_table(assessment, tongue))
    console.print(_findings(assessment, tongue), end="")


def print_comparison(assessments: Sequence[Assessment], console: Console, tongue: Tongue) -> None:
    """Print one body of recordings as several profiles judge it: a row for each property, a column for each profile."""
    first = assessments[0]
    console.print(_heading(first, tongue, titled=False))
    console.print(_comparison_table(assessments, tongue))
    for assessment in assessments:
        mark, color = MARKS[assessment.within]
        profile = assessment.profile
        line = Table.grid(padding=(0, 1))
        line.add_column(width=2, justify="right")
        line.add_column(overflow="fold")
        named = f"{_say(profile.title, tongue)} ({profile.name})"
        separator = "：" if tongue == "zh" else ": "
        advice = _say(assessment.advice, tongue)
        line.add_row(Styled(mark, style=color), Styled.assemble((named + separator, "bold"), advice))
        console.print(line)
    console.print(_comparison_advice(assessments, tongue))
    console.print(_findings(first, tongue), end="")


def csv_text(assessments: Sequence[Assessment]) -> str:
    """Render one line for each recording, numbers as measured, an empty cell where there is none.

    Judged by several profiles, `out_of_range` and `not_judged` are a column for each, with `:` and the profile's name.
    """
    first = assessments[0]
    ends = [""] if len(assessments) == 1 else [f":{assessment.profile.name}" for assessment in assessments]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    props = list(Property)
    writer.writerow(
        [
            *("name", "duration_s", "sample_rate_hz", "channels"),
            *(str(prop) for prop in props),
            *("true_peak_dbtp", "syllables_per_min"),
            *(f"{column}{end}" for end in ends for column in ("out_of_range", "not_judged")),
            "findings",
        ]
    )
    for recording in first.recordings:
        values = {prop: measurement.value for prop, measurement in recording.measurements.items()}
        judged = [
            cell
            for assessment in assessments
            for cell in (
                " ".join(j for j, verdict in assessment.verdicts.items() if recording.name in verdict.failing),
                " ".join(j for j in assessment.verdicts if isinstance(j, Property) and values.get(j) is None),
            )
        ]
        writer.writerow(
            [recording.name, recording.duration_s, recording.sample_rate_hz, recording.channels]
            + [values.get(prop) for prop in props]
            + [
                _detail(recording, Property.LOUDNESS, "true_peak_dbtp"),
                _detail(recording, Property.SPEAKING_RATE, "syllables_per_min"),
                *judged,
                " ".join(dict.fromkeys(item.kind for item in recording.findings)),
            ]
        )
    return text.getvalue()


def _detail(recording: RecordingMeasurements, prop: Property, key: str) -> float | None:
    measurement = recording.measurements.get(prop)
    return None if measurement is None else measurement.details.get(key)


def _say(text: Text, tongue: Tongue) -> str:
    return text.zh if tongue == "zh" else text.en


def _label(assessment: Assessment, judged: Judged, tongue: Tongue) -> str:
    label = _say(assessment.profile.labels[judged], tongue)
    return label[:1].upper() + label[1:]


def _heading(assessment: Assessment, tongue: Tongue, *, titled: bool = True) -> RenderableType:
    count = len(assessment.recordings)
    total_s = sum(recording.duration_s or 0.0 for recording in assessment.recordings)
    counted = Text(f"{count} 条录音", f"{count} recording" + ("s" if count != 1 else ""))
    profile = assessment.profile
    title = f"{_say(profile.title, tongue)} ({profile.name}, {profile.language})" if titled else profile.language
    return Styled(f"\n {_say(counted, tongue)} · {duration_words(total_s)} · {title}", style="bold")


def _verdict_table(assessment: Assessment, tongue: Tongue) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column("")
    for heading in (Text("项目", "Property"), Text("实测", "Measured"), Text("要求", "Expected")):
        table.add_column(_say(heading, tongue))
    for prop, verdict in assessment.verdicts.items():
        mark, color = MARKS[verdict.within]
        table.add_row(
            Styled(mark, style=color),
            _label(assessment, prop, tongue),
            Styled(_measured(verdict, tongue), style="" if verdict.within else color),
            _say(expectation_words(verdict.expected), tongue),
        )
    return Padding(table, (1, 0, 1, 0))


def _measured(verdict: Verdict, tongue: Tongue) -> str:
    return _say(measurement_words(verdict.actual, verdict.expected.details), tongue)


def _comparison_table(assessments: Sequence[Assessment], tongue: Tongue) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column(_say(Text("项目", "Property"), tongue))
    table.add_column(_say(Text("实测", "Measured"), tongue))
    for assessment in assessments:
        table.add_column(assessment.profile.name, overflow="fold")
    for judged in _asked(assessments):
        verdicts = [assessment.verdicts.get(judged) for assessment in assessments]
        # The fullest: one profile may look at a further figure that another leaves out.
        shown = max((verdict for verdict in verdicts if verdict), key=lambda verdict: len(verdict.expected.details))
        cells = []
        for verdict in verdicts:
            mark, color = MARKS[verdict.within] if verdict else ("–", "dim")
            words = _say(expectation_words(verdict.expected), tongue) if verdict else ""
            cells.append(Styled.assemble((mark, color), f" {words}".rstrip()))
        table.add_row(_label(assessments[0], judged, tongue), _measured(shown, tongue), *cells)
    return Padding(table, (1, 0, 1, 0))


def _asked(assessments: Sequence[Assessment]) -> list[Judged]:
    """Everything that any of the profiles asks, in the order people read it."""
    seen = {judged for assessment in assessments for judged in assessment.verdicts}
    return [judged for judged in assessments[0].profile.labels if judged in seen]


def _comparison_advice(assessments: Sequence[Assessment], tongue: Tongue) -> RenderableType:
    """What to do, once for each property, in the words of the first profile that is not content with it."""
    lines: list[RenderableType] = []
    for judged in _asked(assessments):
        verdicts = [assessment.verdicts[judged] for assessment in assessments if judged in assessment.verdicts]
        wrong = next((verdict for verdict in verdicts if not verdict.within), None)
        if wrong is not None:
            lines.append(_bullet(assessments[0], judged, wrong, tongue))
    return Group("", *lines, "") if lines else ""


def _bullet(assessment: Assessment, judged: Judged, verdict: Verdict, tongue: Tongue) -> RenderableType:
    mark, color = MARKS[verdict.within]
    bullet = Table.grid(padding=(0, 1))
    bullet.add_column(width=2, justify="right")
    bullet.add_column(overflow="fold")
    name, advice = _label(assessment, judged, tongue), _say(verdict.advice, tongue)
    separator = "：" if tongue == "zh" else ": "
    bullet.add_row(Styled(mark, style=color), Styled.assemble((name + separator, "bold"), advice))
    return bullet


def _advice(assessment: Assessment, tongue: Tongue) -> RenderableType:
    lines: list[RenderableType] = [
        Padding(Styled(_say(assessment.advice, tongue), style="bold", overflow="fold"), (0, 1))
    ]
    lines += [
        _bullet(assessment, judged, verdict, tongue)
        for judged, verdict in assessment.verdicts.items()
        if not verdict.within or verdict.failing
    ]
    return Group(*lines, "")


def _recordings_table(assessment: Assessment, tongue: Tongue) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column(_say(Text("录音", "Recording"), tongue), overflow="fold")
    table.add_column(_say(Text("时长", "Length"), tongue), justify="right")
    short = {
        Property.SPEAKING_RATE: Text("语速", "Rate"),
        Property.LOUDNESS: Text("响度", "Loudness"),
        Property.SNR: Text("信噪比", "SNR"),
        Property.REVERB: Text("混响", "C50"),
        Property.DNSMOS_OVRL: Text("总体", "OVRL"),
        Property.DNSMOS_BAK: Text("背景", "BAK"),
    }
    for prop in PROPERTIES:
        unit = _say(unit_words(unit_of(prop, assessment.profile.language)), tongue)
        table.add_column(f"{_say(short[prop], tongue)}\n{unit}".rstrip(), justify="right")
    shown = list(assessment.recordings)
    if len(shown) > LISTED_AT_MOST:
        shown = sorted(shown, key=lambda recording: not _is_named(recording, assessment))[:LISTED_AT_MOST]
    for recording in shown:
        table.add_row(
            recording.name,
            "–" if recording.duration_s is None else duration_words(recording.duration_s),
            *(_cell(recording, prop, assessment.verdicts.get(prop)) for prop in PROPERTIES),
        )
    left_out = len(assessment.recordings) - len(shown)
    if left_out:
        note = Text(f" 另有 {left_out} 条，见 --format json 或 csv", f" {left_out} more: see --format json or csv")
        return Group(table, Styled(_say(note, tongue), style="dim"), "")
    return Group(table, "")


def _is_named(recording: RecordingMeasurements, assessment: Assessment) -> bool:
    named = any(recording.name in verdict.failing for verdict in assessment.verdicts.values())
    return named or recording.duration_s is None


def _cell(recording: RecordingMeasurements, prop: Property, verdict: Verdict | None) -> Styled:
    measurement = recording.measurements.get(prop)
    if measurement is None or measurement.value is None:
        return Styled("?", style="yellow")
    fails = verdict is not None and recording.name in verdict.failing
    return Styled(f"{measurement.value:.{DECIMALS[measurement.unit]}f}", style="red" if fails else "")


def _findings(assessment: Assessment, tongue: Tongue) -> RenderableType:
    lines: list[RenderableType] = []
    found = [recording for recording in assessment.recordings if recording.findings]
    shown = sorted(found, key=_worst)[:FINDINGS_OF_RECORDINGS] if len(found) > FINDINGS_OF_RECORDINGS else found
    for recording in shown:
        lines += _findings_of(recording, tongue)
    if len(found) > len(shown):
        left_out = len(found) - len(shown)
        note = Text(
            f" 另有 {left_out} 条录音也有问题，见 --format json",
            f" {left_out} more recordings have findings: see --format json",
        )
        lines.append(Styled(_say(note, tongue), style="dim"))
    lines += [Styled(f" {ignored.name}: {_say(ignored.why, tongue)}", style="dim") for ignored in assessment.ignored]
    return Group(*lines, "") if lines else Group()


def _worst(recording: RecordingMeasurements) -> int:
    order = list(Severity)
    return min((order.index(item.severity) for item in recording.findings), default=len(order))


def _findings_of(recording: RecordingMeasurements, tongue: Tongue) -> list[RenderableType]:
    """The recording's name and, under it, a line for each kind and message: where, how bad, what to do."""
    groups: dict[tuple[str, Text], list[Finding]] = {}
    for item in recording.findings:
        groups.setdefault((item.kind, item.message), []).append(item)
    order = list(Severity)
    worst_first = sorted(groups.values(), key=lambda same: min(order.index(item.severity) for item in same))
    lines: list[RenderableType] = [Styled(f" {recording.name}", style="bold")]
    for same in worst_first[:KINDS_OF_A_RECORDING]:
        severity = min((item.severity for item in same), key=order.index)
        mark, color = SEVERITY_MARKS[severity]
        place, size = _say(place_words(same), tongue), _say(size_words(same), tongue)
        bullet = Table.grid(padding=(0, 1))
        bullet.add_column(width=2, justify="right")
        bullet.add_column(overflow="fold")
        bullet.add_row(
            Styled(mark, style=color),
            Styled.assemble(
                (" ".join(filter(None, (_say(name_words(same[0].kind), tongue), place))), "bold"),
                f" ({size})" if size else "",
                (f" [{_say(SEVERITY_WORDS[severity], tongue)}] ", color),
                _say(same[0].message, tongue),
            ),
        )
        lines.append(bullet)
    left_out = len(worst_first) - KINDS_OF_A_RECORDING
    if left_out > 0:
        note = Text(f"    另有 {left_out} 类，见 --format json", f"    {left_out} more kinds: see --format json")
        lines.append(Styled(_say(note, tongue), style="dim"))
    return lines
