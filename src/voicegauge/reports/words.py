"""How properties, units, numbers and ranges read in Chinese and English."""

from __future__ import annotations

from voicegauge.assessment.profile import Expectation, Range
from voicegauge.assessment.values import Measurement, Reason, Severity, Text, Unit

__all__ = [
    "REASON_WORDS",
    "SEVERITY_WORDS",
    "duration_words",
    "expectation_words",
    "measurement_words",
    "range_words",
    "unit_words",
]

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
