"""Profiles from TOML files: what is asked of the recordings, and what to tell the person who made them.

A profile file holds ranges with their source and date. The sentences it does not bring itself come from
``sentences/advice.toml``, since what to do about a noisy room is the same whoever asks for a quiet one.
The format is described at the top of ``default.toml``.
"""

from __future__ import annotations

import re
from pathlib import Path

from voicegauge.assessment.profile import Advice, Expectation, Overall, Profile, Range, Unmeasured
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import PROPERTIES, Fact, Judged, Language, Property, Reason
from voicegauge.errors import ProfileError
from voicegauge.profiles.reader import Table, did_you_mean, read_toml

__all__ = ["load_profile", "profile_names"]

_FOLDER = Path(__file__).parent
_SENTENCES = _FOLDER / "sentences" / "advice.toml"
_LANGUAGES: tuple[Language, ...] = ("CN", "EN")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_JUDGED: tuple[Judged, ...] = (*PROPERTIES, *Fact)
_DETAILS: dict[Judged, tuple[str, ...]] = {Property.LOUDNESS: ("true_peak_dbtp", "rms_dbfs")}


def profile_names() -> tuple[str, ...]:
    """The names of the profiles that come with voicegauge, `default` first."""
    names = sorted(path.stem for path in _FOLDER.glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != "default"))


def load_profile(name_or_path: str | Path, language: Language) -> Profile:
    """The profile of that name, or in that file, for recordings in one language.

    A string is a name of :func:`profile_names` unless it ends in ``.toml`` or holds a path separator.
    The whole file is checked, the other language's ranges too.

    Raises
    ------
    ProfileError
        There is no such profile, or the file breaks a rule; the message names file, line and key.
    """
    if language not in _LANGUAGES:
        raise ProfileError(f'there is no language "{language}"; use CN or EN')
    root = read_toml(_path_of(name_or_path))
    root.allow("name", "title", "unmeasured", *_JUDGED)
    name = root.string("name")
    if not _NAME.fullmatch(name):
        raise root.problem(f'"{name}" is no profile name; use small letters, digits and single hyphens', "name")
    sentences = read_toml(_SENTENCES)
    labels, reasons = sentences.table("labels"), sentences.table("reasons")
    expectations = {
        judged: {
            spoken: _expectation(_table_for(root, judged, spoken), sentences, judged, spoken) for spoken in _LANGUAGES
        }
        for judged in _JUDGED
        if judged in root.values
    }
    if not expectations:
        raise root.problem(f"a profile asks for one of these at least: {', '.join(_JUDGED)}")
    return Profile(
        name=name,
        title=root.text("title"),
        language=language,
        expectations={judged: by_language[language] for judged, by_language in expectations.items()},
        labels={judged: labels.text(judged) for judged in (*Property, *Fact)},
        reasons={reason: reasons.text(reason) for reason in Reason},
        overall=_overall(sentences.table("overall")),
        unmeasured=tuple(_unmeasured(table) for table in root.tables("unmeasured")),
    )


def _path_of(name_or_path: str | Path) -> Path:
    word = str(name_or_path)
    if isinstance(name_or_path, Path) or word.endswith(".toml") or "/" in word or "\\" in word:
        return Path(name_or_path)
    names = profile_names()
    if word not in names:
        raise ProfileError(
            f'there is no profile "{word}"{did_you_mean(word, names) or "."} '
            f"Profiles that come with voicegauge: {', '.join(names)}. For a file of your own, end its name in .toml"
        )
    return _FOLDER / f"{word}.toml"


def _table_for(root: Table, judged: Judged, language: Language) -> Table:
    """The property's own table, or its half for the language where it is split."""
    table = root.table(judged)
    if not any(spoken in table.values for spoken in _LANGUAGES):
        if judged is Property.SPEAKING_RATE:
            raise table.problem(
                f"Chinese is counted in characters and English in words: write [{judged}.CN] and [{judged}.EN]"
            )
        return table
    table.allow(*_LANGUAGES)
    return table.table(language)


def _expectation(table: Table, sentences: Table, judged: Judged, language: Language) -> Expectation:
    detail_names = _DETAILS.get(judged, ())
    table.allow("minimum", "maximum", "unit", "source", "date", "advice", *(["details"] if detail_names else []))
    unit = unit_of(judged, language)
    if table.string("unit") != unit:
        raise table.problem(f'the unit of {judged} is "{unit}", not "{table.string("unit")}"', "unit")
    details = {}
    if "details" in table.values:
        details_table = table.table("details")
        details_table.allow(*detail_names)
        for name in details_table.values:
            detail = details_table.table(name)
            detail.allow("minimum", "maximum")
            details[name] = _range(detail)
    return Expectation(
        range=_range(table, may_be_open=bool(details)),
        unit=unit,
        advice=_advice(table, sentences.table("advice").table(judged)),
        source=table.string("source"),
        date=table.date("date").isoformat(),
        details=details,
    )


def _unmeasured(table: Table) -> Unmeasured:
    table.allow("name", "requirement", "source", "date")
    return Unmeasured(
        name=table.string("name"),
        requirement=table.text("requirement"),
        source=table.string("source"),
        date=table.date("date").isoformat(),
    )


def _range(table: Table, *, may_be_open: bool = False) -> Range:
    minimum, maximum = table.number("minimum"), table.number("maximum")
    if minimum is None and maximum is None and not may_be_open:
        raise table.problem('give "minimum", "maximum" or both')
    if minimum is not None and maximum is not None and minimum > maximum:
        raise table.problem(f"minimum {minimum:g} is above maximum {maximum:g}", "minimum")
    return Range(minimum, maximum)


def _advice(table: Table, common: Table) -> Advice:
    """The profile's own sentences where it has them, ours for the rest."""
    own = table.table("advice") if "advice" in table.values else None
    if own is not None:
        own.allow("within", "low", "high")
    within, low, high = (
        (own if own is not None and kind in own.values else common).text(kind) for kind in ("within", "low", "high")
    )
    return Advice(within=within, low=low, high=high)


def _overall(table: Table) -> Overall:
    return Overall(
        all_within=table.text("all_within"),
        out_of_range=table.text("out_of_range"),
        not_judged=table.text("not_judged"),
        unreadable=table.text("unreadable"),
        unmeasured=table.text("unmeasured"),
        failing=table.text("failing"),
        failing_within=table.text("failing_within"),
        and_more=table.text("and_more"),
    )
