"""What a measurement is and what it rests on, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from voicegauge.assessment.definitions import DEFINITIONS, Case, Direction, Evidence
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.uncertainty import StatedError, stated_errors
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Fact, Judged, Text, Unit
from voicegauge.reports.result import text_to_json
from voicegauge.reports.tables import Tongue
from voicegauge.reports.words import error_words, unit_words

__all__ = ["explanation_to_json", "print_explanations"]

DIRECTIONS = {
    Direction.HIGHER: Text("越高越好", "higher is better"),
    Direction.RANGE: Text("在要求的范围内为好", "good within the range that is asked"),
}

CASES = {
    Case.ALWAYS: Text("", ""),
    Case.PAUSES: Text("有停顿：", "with pauses: "),
    Case.NO_PAUSES: Text("几乎没有停顿：", "with hardly a pause: "),
    Case.TRANSCRIPT: Text("有文本：", "with a transcript: "),
    Case.BLIND: Text("没有文本：", "without a transcript: "),
}

NINE_IN_TEN = Text(
    "误差：十次里有九次不超过（用已知真值的真实录音测得）",
    "Error: in nine cases of ten at most (measured on real recordings with known truth)",
)
NOT_STATED = Text("没有测过，不给出", "not measured, so none is stated")
EXACT = Text("精确", "exact")


def explanation_to_json(judged: Judged, label: Text, models: Sequence[ModelStamp]) -> dict[str, Any]:
    """Render everything there is to know about one measurement."""
    definition = DEFINITIONS[judged]
    return {
        "name": str(judged),
        "label": text_to_json(label),
        "what": text_to_json(definition.what),
        "unit": {language: str(unit_of(judged, language)) for language in ("CN", "EN")},
        "direction": str(definition.direction),
        "lowest": definition.lowest,
        "highest": definition.highest,
        "band_hz": None if definition.band_hz is None else list(definition.band_hz),
        "window": text_to_json(definition.window),
        "method": text_to_json(definition.method),
        "evidence": {
            str(case): {"recording_s": least.recording_s, "speech_s": least.speech_s, "pause_s": least.pause_s}
            for case, least in definition.evidence.items()
        },
        "errors": [
            {
                "conditions": [text_to_json(condition) for condition in stated.conditions],
                "error": stated.error,
                "relative": stated.relative,
                "recordings": stated.recordings,
            }
            for stated in stated_errors(judged)
        ],
        "sources": list(definition.sources),
        "models": [
            {"name": model.name, "file": model.file, "sha256": model.sha256, "engine": model.engine}
            for model in models
            if model.name in definition.models
        ],
    }


def print_explanations(
    asked: Sequence[Judged],
    labels: Mapping[Judged, Text],
    models: Sequence[ModelStamp],
    console: Console,
    tongue: Tongue,
) -> None:
    """Print one block for each measurement."""
    for judged in asked:
        label = _say(labels[judged], tongue)
        console.print(Styled(f"\n {label[:1].upper()}{label[1:]} ({judged})", style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, words in _lines(judged, models, tongue):
            table.add_row(name, words)
        console.print(Padding(table, (0, 1)))
    console.print()


def _lines(judged: Judged, models: Sequence[ModelStamp], tongue: Tongue) -> Iterator[tuple[str, str]]:
    definition = DEFINITIONS[judged]

    def name(zh: str, en: str) -> str:
        return zh if tongue == "zh" else en

    yield "", _say(definition.what, tongue)
    units = dict.fromkeys(str(unit_of(judged, language)) for language in ("CN", "EN"))
    span = _span(definition.lowest, definition.highest)
    yield name("单位", "unit"), ", ".join(units) + (f" ({span})" if span else "")
    yield name("方向", "direction"), _say(DIRECTIONS[definition.direction], tongue)
    yield name("范围", "window"), _say(definition.window, tongue)
    if definition.band_hz is not None:
        low, high = definition.band_hz
        yield name("频带", "band"), f"{low:g}-{high:g} Hz"
    yield name("方法", "method"), _say(definition.method, tongue)
    needs = [CASES[case] for case in definition.evidence]
    least = [_evidence(evidence) for evidence in definition.evidence.values()]
    if any(words.en for words in least):
        lines = [_say(case, tongue) + _say(words, tongue) for case, words in zip(needs, least, strict=True)]
        yield name("至少需要", "needs"), "\n".join(lines)
    yield name("误差", "error"), "\n".join(_error_lines(judged, tongue))
    for model in models:
        if model.name in definition.models:
            words = f"{model.name}: {model.file} ({model.engine})\nSHA-256 {model.sha256}"
            yield name("模型", "model"), words
    for source in definition.sources:
        yield name("来源", "source"), source


def _error_lines(judged: Judged, tongue: Tongue) -> Iterator[str]:
    stated = list(stated_errors(judged))
    if not stated:
        exact = isinstance(judged, Fact) and judged is not Fact.TOTAL_SPEECH
        yield _say(EXACT if exact else NOT_STATED, tongue)
        return
    yield _say(NINE_IN_TEN, tongue)
    for line in stated:
        conditions = ("，" if tongue == "zh" else ", ").join(_say(condition, tongue) for condition in line.conditions)
        yield (
            f"± {_error(judged, line, tongue)}"
            + (f"  {conditions}" if conditions else "")
            + f"  (n = {line.recordings})"
        )


def _error(judged: Judged, stated: StatedError, tongue: Tongue) -> str:
    if stated.relative:
        return f"{stated.error * 100:.0f} %"
    unit = unit_of(judged, "CN")
    words = "MOS" if unit is Unit.MOS else _say(unit_words(unit), tongue)
    return f"{error_words(stated.error, unit)} {words}"


def _evidence(least: Evidence) -> Text:
    parts = [
        (Text(f"录音 {least.recording_s:g} 秒", f"{least.recording_s:g} s of recording"), least.recording_s),
        (Text(f"人声 {least.speech_s:g} 秒", f"{least.speech_s:g} s of speech"), least.speech_s),
        (Text(f"停顿 {least.pause_s:g} 秒", f"{least.pause_s:g} s of pause"), least.pause_s),
    ]
    needed = [words for words, seconds in parts if seconds > 0]
    return Text("，".join(words.zh for words in needed), ", ".join(words.en for words in needed))


def _span(lowest: float | None, highest: float | None) -> str:
    if lowest is not None and highest is not None:
        return f"{lowest:g} … {highest:g}"
    return "" if lowest is None else f"≥ {lowest:g}"


def _say(text: Text, tongue: Tongue) -> str:
    return text.zh if tongue == "zh" else text.en
