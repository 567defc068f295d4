"""How findings read in Chinese and English: what, where, how bad."""

from __future__ import annotations

from collections.abc import Sequence

from voicegauge.assessment.kinds import KINDS
from voicegauge.assessment.values import Finding, Text

__all__ = ["name_words", "place_words", "size_words"]

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
