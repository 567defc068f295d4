"""An assessment as a table for a terminal, and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from voicegauge.assessment.profile import Assessment, Verdict
from voicegauge.assessment.values import PROPERTIES, Finding, Property, RecordingMeasurements, Severity, Text
from voicegauge.reports.words import (
    DECIMALS,
    SEVERITY_WORDS,
    Tongue,
    duration_words,
    expectation_words,
    measurement_words,
    name_words,
    place_words,
    say,
    size_words,
    unit_words,
)

__all__ = ["csv_text", "print_table"]

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


def csv_text(assessment: Assessment) -> str:
    """Render one line for each recording, numbers as measured, an empty cell where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    props = list(Property)
    writer.writerow(
        [
            *("name", "duration_s", "sample_rate_hz", "channels"),
            *(str(prop) for prop in props),
            *("true_peak_dbtp", "syllables_per_min", "out_of_range", "not_judged", "findings"),
        ]
    )
    for recording in assessment.recordings:
        values = {prop: measurement.value for prop, measurement in recording.measurements.items()}
        writer.writerow(
            [recording.name, recording.duration_s, recording.sample_rate_hz, recording.channels]
            + [values.get(prop) for prop in props]
            + [
                _detail(recording, Property.LOUDNESS, "true_peak_dbtp"),
                _detail(recording, Property.SPEAKING_RATE, "syllables_per_min"),
                " ".join(prop for prop, verdict in assessment.verdicts.items() if recording.name in verdict.failing),
                " ".join(prop for prop in assessment.verdicts if values.get(prop) is None),
                " ".join(dict.fromkeys(item.kind for item in recording.findings)),
            ]
        )
    return text.getvalue()


def _detail(recording: RecordingMeasurements, prop: Property, key: str) -> float | None:
    measurement = recording.measurements.get(prop)
    return None if measurement is None else measurement.details.get(key)


def _label(assessment: Assessment, prop: Property, tongue: Tongue) -> str:
    label = say(assessment.profile.labels[prop], tongue)
    return label[:1].upper() + label[1:]


def _heading(assessment: Assessment, tongue: Tongue) -> RenderableType:
    count = len(assessment.recordings)
    total_s = sum(recording.duration_s or 0.0 for recording in assessment.recordings)
    counted = Text(f"{count} 条录音", f"{count} recording" + ("s" if count != 1 else ""))
    profile = assessment.profile
    return Styled(
        f"\n {say(counted, tongue)} · {duration_words(total_s)} · {say(profile.title, tongue)}"
        f" ({profile.name}, {profile.language})",
        style="bold",
    )


def _verdict_table(assessment: Assessment, tongue: Tongue) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column("")
    for heading in (Text("项目", "Property"), Text("实测", "Measured"), Text("要求", "Expected")):
        table.add_column(say(heading, tongue))
    for prop, verdict in assessment.verdicts.items():
        mark, color = MARKS[verdict.within]
        table.add_row(
            Styled(mark, style=color),
            _label(assessment, prop, tongue),
            Styled(say(measurement_words(verdict.actual), tongue), style="" if verdict.within else color),
            say(expectation_words(verdict.expected), tongue),
        )
    return Padding(table, (1, 0, 1, 0))


def _advice(assessment: Assessment, tongue: Tongue) -> RenderableType:
    lines: list[RenderableType] = [
        Padding(Styled(say(assessment.advice, tongue), style="bold", overflow="fold"), (0, 1))
    ]
    for prop, verdict in assessment.verdicts.items():
        if verdict.within and not verdict.failing:
            continue
        mark, color = MARKS[verdict.within]
        bullet = Table.grid(padding=(0, 1))
        bullet.add_column(width=2, justify="right")
        bullet.add_column(overflow="fold")
        name, advice = _label(assessment, prop, tongue), say(verdict.advice, tongue)
        separator = "：" if tongue == "zh" else ": "
        bullet.add_row(Styled(mark, style=color), Styled.assemble((name + separator, "bold"), advice))
        lines.append(bullet)
    return Group(*lines, "")


def _recordings_table(assessment: Assessment, tongue: Tongue) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column(say(Text("录音", "Recording"), tongue), overflow="fold")
    table.add_column(say(Text("时长", "Length"), tongue), justify="right")
    short = {
        Property.SPEAKING_RATE: Text("语速", "Rate"),
        Property.LOUDNESS: Text("响度", "Loudness"),
        Property.SNR: Text("信噪比", "SNR"),
        Property.REVERB: Text("混响", "C50"),
        Property.DNSMOS_OVRL: Text("总体", "OVRL"),
        Property.DNSMOS_BAK: Text("背景", "BAK"),
    }
    for prop in PROPERTIES:
        verdict = assessment.verdicts.get(prop)
        unit = say(unit_words(verdict.expected.unit), tongue) if verdict else ""
        table.add_column(f"{say(short[prop], tongue)}\n{unit}".rstrip(), justify="right")
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
        return Group(table, Styled(say(note, tongue), style="dim"), "")
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
        lines.append(Styled(say(note, tongue), style="dim"))
    lines += [Styled(f" {ignored.name}: {say(ignored.why, tongue)}", style="dim") for ignored in assessment.ignored]
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
        place, size = say(place_words(same), tongue), say(size_words(same), tongue)
        bullet = Table.grid(padding=(0, 1))
        bullet.add_column(width=2, justify="right")
        bullet.add_column(overflow="fold")
        bullet.add_row(
            Styled(mark, style=color),
            Styled.assemble(
                (" ".join(filter(None, (say(name_words(same[0].kind), tongue), place))), "bold"),
                f" ({size})" if size else "",
                (f" [{say(SEVERITY_WORDS[severity], tongue)}] ", color),
                say(same[0].message, tongue),
            ),
        )
        lines.append(bullet)
    left_out = len(worst_first) - KINDS_OF_A_RECORDING
    if left_out > 0:
        note = Text(f"    另有 {left_out} 类，见 --format json", f"    {left_out} more kinds: see --format json")
        lines.append(Styled(say(note, tongue), style="dim"))
    return lines
