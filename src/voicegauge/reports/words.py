"""How properties, units, numbers and ranges read in Chinese and English."""

from __future__ import annotations

import math
from collections.abc import Collection

from voicegauge.assessment.profile import Expectation, Range
from voicegauge.assessment.values import Measurement, Reason, Severity, Text, Unit

__all__ = [
    "REASON_WORDS",
    "SEVERITY_WORDS",
    "duration_words",
    "error_words",
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
    Unit.HZ: Text("Hz", "Hz"),
    Unit.CHANNELS: Text("", ""),
    Unit.SECONDS: Text("秒", "s"),
}

DECIMALS: dict[Unit, int] = {
    Unit.CHARACTERS_PER_MIN: 0,
    Unit.WORDS_PER_MIN: 0,
    Unit.LUFS: 1,
    Unit.DB: 1,
    Unit.MOS: 2,
    Unit.HZ: 0,
    Unit.CHANNELS: 0,
    Unit.SECONDS: 1,
}

TRUE_PEAK = "true_peak_dbtp"

DETAIL_NAMES: dict[str, tuple[Text, str]] = {
    TRUE_PEAK: (Text("真峰值", "true peak"), "dBTP"),
    "rms_dbfs": (Text("RMS", "RMS"), "dBFS"),
}

EXTRAPOLATED = Text("（外推）", " (extrapolated)")
GATED = Text("（降噪后，不可信）", " (gated: not to be trusted)")
"""Beside DNSMOS scores that rest, in whole or in part, on recordings shorter than one window."""

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


def measurement_words(measurement: Measurement, further: Collection[str] = ()) -> Text:
    """Render a value with its error and unit, the true peak and `further` figures, or the reason there is none."""
    if measurement.value is None:
        return REASON_WORDS[measurement.reason or Reason.NO_MEASUREMENT]
    number = f"{measurement.value:.{DECIMALS[measurement.unit]}f}"
    if measurement.error:
        number += f" ± {error_words(measurement.error, measurement.unit)}"
    unit = UNIT_WORDS[measurement.unit]
    zh, en = f"{number} {unit.zh}".rstrip(), f"{number} {unit.en}".rstrip()
    if measurement.details.get("gated"):
        zh, en = zh + GATED.zh, en + GATED.en
    if measurement.details.get("repeated"):
        zh, en = zh + EXTRAPOLATED.zh, en + EXTRAPOLATED.en
    for key, (name, detail_unit) in DETAIL_NAMES.items():
        figure = measurement.details.get(key)
        if figure is not None and (key == TRUE_PEAK or key in further):
            zh += f"，{name.zh} {figure:.1f} {detail_unit}"
            en += f", {name.en} {figure:.1f} {detail_unit}"
    return Text(zh, en)


def expectation_words(expectation: Expectation) -> Text:
    """Render a range with its unit, and the ranges of further figures."""
    unit = UNIT_WORDS[expectation.unit]
    bounds = range_words(expectation.range)
    parts = [Text(f"{bounds.zh} {unit.zh}".rstrip(), f"{bounds.en} {unit.en}".rstrip())] if bounds.en else []
    for key, limits in expectation.details.items():
        name, detail_unit = DETAIL_NAMES[key]
        words = range_words(limits)
        parts.append(Text(f"{name.zh} {words.zh} {detail_unit}", f"{name.en} {words.en} {detail_unit}"))
    return Text("，".join(part.zh for part in parts), ", ".join(part.en for part in parts))


def error_words(error: float, unit: Unit) -> str:
    """Render an error with the decimals of its unit, rounded up."""
    decimals = DECIMALS[unit]
    # The slack keeps 0.3, which is a little more than 0.3 in binary, from becoming 0.4.
    return f"{math.ceil(error * 10**decimals - 1e-6) / 10**decimals:.{decimals}f}"


def range_words(bounds: Range) -> Text:
    """Render a range without its unit: `≥ 30`, `≤ -1` or `-27 to -16`."""
    low, high = bounds.minimum, bounds.maximum
    if low is not None and low == high:
        return Text(f"= {low:g}", f"= {low:g}")
    if low is not None and high is not None:
        return Text(f"{low:g} 至 {high:g}", f"{low:g} to {high:g}")
    one_sided = "" if low is None and high is None else f"≤ {high:g}" if low is None else f"≥ {low:g}"
    return Text(one_sided, one_sided)


def duration_words(seconds: float) -> str:
    """Render `0:38`, `12:05` or `1:02:05`."""
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest_s:02d}" if hours else f"{minutes}:{rest_s:02d}"
