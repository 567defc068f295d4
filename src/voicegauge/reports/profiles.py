"""What profiles ask, and where each of their numbers comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from voicegauge.assessment.profile import Profile
from voicegauge.assessment.values import Text
from voicegauge.reports.result import expectation_to_json, text_to_json, unmeasured_to_json
from voicegauge.reports.tables import Tongue
from voicegauge.reports.words import expectation_words

__all__ = ["print_profile", "print_profiles", "profile_to_json"]

UNMEASURED = Text("不测", "not measured")


def profile_to_json(profile: Profile) -> dict[str, Any]:
    """Render a profile's ranges, in the form they have in results."""
    return {
        "name": profile.name,
        "title": text_to_json(profile.title),
        "language": profile.language,
        "expected": {str(judged): expectation_to_json(each) for judged, each in profile.expectations.items()},
        "unmeasured": [unmeasured_to_json(each) for each in profile.unmeasured],
    }


def print_profiles(profiles: Sequence[Profile], console: Console, tongue: Tongue) -> None:
    """Print one line for each profile."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    table.add_column(_say(Text("名称", "Name"), tongue), no_wrap=True)
    table.add_column(_say(Text("是什么", "What it is"), tongue), overflow="fold")
    table.add_column(_say(Text("要求", "Asks for"), tongue), overflow="fold")
    for profile in profiles:
        labels = [_say(profile.labels[judged], tongue) for judged in profile.expectations]
        asked = ("、" if tongue == "zh" else ", ").join(labels)
        if profile.unmeasured:
            others = Text(f"，另有 {len(profile.unmeasured)} 项不测", f", and {len(profile.unmeasured)} not measured")
            asked += _say(others, tongue)
        table.add_row(profile.name, _say(profile.title, tongue), asked)
    console.print(Padding(table, (1, 0, 1, 0)))


def print_profile(profile: Profile, console: Console, tongue: Tongue) -> None:
    """Print every range of a profile with its source and date."""
    console.print(Styled(f"\n {_say(profile.title, tongue)} ({profile.name}, {profile.language})", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    for heading in (Text("项目", "Property"), Text("要求", "Expected"), Text("来源", "Source"), Text("日期", "Date")):
        table.add_column(_say(heading, tongue), overflow="fold", no_wrap=heading.en == "Date")
    for judged, expected in profile.expectations.items():
        label = _say(profile.labels[judged], tongue)
        words = _say(expectation_words(expected), tongue)
        table.add_row(label[:1].upper() + label[1:], words, expected.source, expected.date)
    for unmeasured in profile.unmeasured:
        table.add_row(
            Styled(_say(UNMEASURED, tongue), style="dim"),
            _say(unmeasured.requirement, tongue),
            unmeasured.source,
            unmeasured.date,
        )
    console.print(Padding(table, (1, 0, 1, 0)))


def _say(text: Text, tongue: Tongue) -> str:
    return text.zh if tongue == "zh" else text.en
