"""How properties, units, numbers and ranges read in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from voicegauge.assessment.kinds import KINDS
from voicegauge.assessment.profile import Expectation, Range
from voicegauge.assessment.values import Finding, Measurement, Reason, Severity, Text, Unit

__all__ = [
    "REASON_WORDS",
    "SEVERITY_WORDS",
    "Tongue",
    "duration_words",
    "expectation_words",
    "measurement_words",
    "name_words",
    "place_words",
    "range_words",
    "say",
    "size_words",
    "unit_words",
]

Tongue: TypeAlias = Literal["zh", "en"]
"""The language a report is written in; it need not be the one that is spoken in the recordings."""

UNIT_WORDS: dict[Unit, Text] = {
    Unit.CHARACTERS_PER_MIN: Text("字/分钟", "characters/min"),
    Unit.WORDS_PER_MIN: Text("词/分钟", "words/min"),
    Unit.LUFS: Text("LUFS", "LUFS"),
    Unit.DB: Text("dB", "dB"),
    Unit.MOS: Text("", ""),
}

DECIMALS: dict[Unit, int] = {
    Unit.CHARACTERS_PER_MIN: 0,
    Unit.WORDS_PER_MIN: 0,
    Unit.LUFS: 1,
    Unit.DB: 1,
    Unit.MOS: 2,
}

DETAIL_NAMES: dict[str, tuple[Text, str]] = {"true_peak_dbtp": (Text("真峰值", "true peak"), "dBTP")}

REASON_WORDS: dict[Reason, Text] = {
    Reason.TOO_SHORT: Text("录音太短", "too short"),
    Reason.NO_SPEECH: Text("没有人声", "no speech"),
    Reason.NOT_ENOUGH_SPEECH: Text("人声太少", "not enough speech"),
    Reason.NOT_ENOUGH_PAUSE: Text("停顿太少", "not enough pause"),
    Reason.SILENT: Text("完全无声", "silent"),
    Reason.INVALID_SAMPLES: Text("含无效采样", "invalid samples"),
    Reason.UNREADABLE: Text("无法读取", "unreadable"),
    Reason.NO_MEASUREMENT: Text("没有测量值", "not measured"),
}

SEVERITY_WORDS: dict[Severity, Text] = {
    Severity.REJECT: Text("需重录", "record again"),
    Severity.FIXABLE: Text("可修复", "can be fixed"),
    Severity.YOUR_CALL: Text("请自行判断", "your call"),
}


# How the figures of a finding read; the others are for programs.
SIZE_WORDS: dict[str, Text] = {
    "count": Text("{:.0f} 处", "{:.0f} times"),
    "frequency_hz": Text("{:.0f} Hz", "{:.0f} Hz"),
    "level_db": Text("{:.0f} dBFS", "{:.0f} dBFS"),
    "bandwidth_hz": Text("只到 {:.0f} Hz", "up to {:.0f} Hz"),
    "percent_of_full_scale": Text("满幅的 {:+.1f}%", "{:+.1f} % of full scale"),
    "jump_db": Text("{:+.0f} dB", "{:+.0f} dB"),
    "relative_rate": Text("平常的 {:.1f} 倍", "{:.1f} times the usual"),
    "lowest_mos": Text("最低 {:.1f} 分", "down to {:.1f}"),
    "channel": Text("第 {:.0f} 声道", "channel {:.0f}"),
    "difference_db": Text("差 {:.0f} dB", "by {:.0f} dB"),
    "difference_percent": Text("差 {:.0f}%", "by {:.0f} %"),
}

PLACES_AT_MOST = 3


def say(text: Text, tongue: Tongue) -> str:
    return text.zh if tongue == "zh" else text.en


def name_words(kind: str) -> Text:
    """Render a kind of finding; one that is not of ours keeps its code."""
    return KINDS[kind].name if kind in KINDS else Text(kind, kind.replace("_", " "))


def place_words(findings: Sequence[Finding]) -> Text:
    """Render where findings of one kind are: `0:12.3–0:14.0, 1:05.2 and 2 more`; empty for whole files."""
    places = []
    for item in findings:
        if item.start_s is not None:
            start, end = (_position(s) for s in (item.start_s, item.start_s if item.end_s is None else item.end_s))
            places.append(start if start == end else f"{start}–{end}")
    shown, more = places[:PLACES_AT_MOST], len(places) - PLACES_AT_MOST
    zh, en = "、".join(shown), ", ".join(shown)
    return Text(f"{zh} 等 {len(places)} 处", f"{en} and {more} more") if more > 0 else Text(zh, en)


def size_words(findings: Sequence[Finding]) -> Text:
    """Render how bad findings of one kind are together: their counts summed, of other figures the largest."""
    words = []
    for key, form in SIZE_WORDS.items():
        figures = [item.details[key] for item in findings if key in item.details]
        if figures:
            figure = sum(figures) if key == "count" else max(figures, key=abs)
            if key != "count" or figure > 1:
                words.append(Text(form.zh.format(figure), form.en.format(figure)))
    affected_s = sum(item.affected_s or 0.0 for item in findings)
    if affected_s >= 1:
        words.append(Text(f"共 {affected_s:.0f} 秒", f"{affected_s:.0f} s in all"))
    return Text("，".join(text.zh for text in words), ", ".join(text.en for text in words))


def _position(seconds: float) -> str:
    """Render `0:38.2` or `1:02:05.0`."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def unit_words(unit: Unit) -> Text:
    return UNIT_WORDS[unit]


def measurement_words(measurement: Measurement) -> Text:
    """Render a value with its unit and further judged figures, or the reason there is none."""
    if measurement.value is None:
        return REASON_WORDS[measurement.reason or Reason.NO_MEASUREMENT]
    number = f"{measurement.value:.{DECIMALS[measurement.unit]}f}"
    unit = UNIT_WORDS[measurement.unit]
    zh, en = f"{number} {unit.zh}".rstrip(), f"{number} {unit.en}".rstrip()
    for key, (name, detail_unit) in DETAIL_NAMES.items():
        figure = measurement.details.get(key)
        if figure is not None:
            zh += f"，{name.zh} {figure:.1f} {detail_unit}"
            en += f", {name.en} {figure:.1f} {detail_unit}"
    return Text(zh, en)


def expectation_words(expectation: Expectation) -> Text:
    """Render a range with its unit, and the ranges of further figures."""
    unit = UNIT_WORDS[expectation.unit]
    bounds = range_words(expectation.range)
    zh, en = f"{bounds.zh} {unit.zh}".rstrip(), f"{bounds.en} {unit.en}".rstrip()
    for key, limits in expectation.details.items():
        name, detail_unit = DETAIL_NAMES[key]
        zh += f"，{name.zh} {range_words(limits).zh} {detail_unit}"
        en += f", {name.en} {range_words(limits).en} {detail_unit}"
    return Text(zh, en)


def range_words(bounds: Range) -> Text:
    """Render a range without its unit: `≥ 30`, `≤ -1` or `-27 to -16`."""
    low, high = bounds.minimum, bounds.maximum
    if low is not None and high is not None:
        return Text(f"{low:g} 至 {high:g}", f"{low:g} to {high:g}")
    one_sided = "" if low is None and high is None else f"≤ {high:g}" if low is None else f"≥ {low:g}"
    return Text(one_sided, one_sided)


def duration_words(seconds: float) -> str:
    """Render `0:38`, `12:05` or `1:02:05`."""
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest_s:02d}" if hours else f"{minutes}:{rest_s:02d}"
