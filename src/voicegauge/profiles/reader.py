"""Reads TOML tables strictly: every complaint names the file, the line, the table, and what is allowed."""

from __future__ import annotations

import datetime
import difflib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegauge.assessment.values import Text
from voicegauge.errors import ProfileError

__all__ = ["Table", "did_you_mean", "read_toml"]

MAX_FILE_BYTES = 1 << 20

_MULTILINE_STRING = re.compile(r"(\"\"\"|''').*?\1", re.DOTALL)
_HEADER = re.compile(r"^\s*\[([^\[\]]+)\]")
_ARRAY_HEADER = re.compile(r"^\s*\[\[([^\[\]]+)\]\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'\- ]+?)\s*=")


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """A clause that offers the nearest allowed word, or an empty string when none is near."""
    near = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else ""


def read_toml(path: Path) -> Table:
    """The root table of a TOML file of at most 1 MiB.

    Raises
    ------
    ProfileError
        The file is missing, not a file, too large, not UTF-8 or not TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ProfileError(f"cannot read the profile {path}: {error.strerror or error}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ProfileError(f"{path} is larger than 1 MiB; a profile is a TOML file of a few kilobytes")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from error
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileError(f"{path}: not valid TOML: {error}") from error
    return Table(str(path), text, (), values)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line that defines `path`, or the nearest table around it."""
    plain = _MULTILINE_STRING.sub(lambda match: "\n" * match.group().count("\n"), text)
    table: tuple[str, ...] = ()
    best_line, best_depth = None, 0
    counts: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(plain.split("\n"), start=1):
        if array := _ARRAY_HEADER.match(line):
            counts[name := _parts(array[1])] += 1
            table = here = (*name, str(counts[name]))
        elif header := _HEADER.match(line):
            table = here = _parts(header[1])
        elif key := _KEY.match(line):
            here = (*table, *_parts(key[1]))
        else:
            continue
        if len(here) > best_depth and here == path[: len(here)]:
            best_line, best_depth = number, len(here)
    return best_line


@dataclass(frozen=True)
class Table:
    """One table of a TOML file that knows where it stands."""

    file: str
    source_text: str
    path: tuple[str, ...]
    values: dict[str, Any]

    def problem(self, message: str, key: str | None = None) -> ProfileError:
        """An error that points at this table, or at one key in it."""
        path = self.path if key is None else (*self.path, key)
        line = _line_of(self.source_text, path)
        where = self.file if line is None else f"{self.file}, line {line}"
        return ProfileError(f"{where}, [{'.'.join(self.path)}]: {message}" if self.path else f"{where}: {message}")

    def allow(self, *keys: str) -> None:
        """Refuses every key but these."""
        for key in self.values:
            if key not in keys:
                hint = did_you_mean(key, keys)
                raise self.problem(f'unknown key "{key}"{hint or "."} Allowed here: {", ".join(keys)}', key)

    def table(self, key: str) -> Table:
        """The table under `key`, which must be there."""
        value = self._needed(key, "a table")
        if not isinstance(value, dict):
            raise self.problem(f'"{key}" must be a table, not {_show(value)}', key)
        return Table(self.file, self.source_text, (*self.path, key), value)

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables under `[[key]]`, none without one; each is named by its number, from 1."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.problem(f'write "{key}" as [[{key}]], once for each', key)
        return tuple(
            Table(self.file, self.source_text, (*self.path, key, str(number)), value)
            for number, value in enumerate(values, start=1)
        )

    def string(self, key: str) -> str:
        """The text under `key`, which must be there and not be blank."""
        value = self._needed(key, "a text")
        if not isinstance(value, str) or not value.strip():
            raise self.problem(f'"{key}" must be a text that is not empty, not {_show(value)}', key)
        return value.strip()

    def text(self, key: str) -> Text:
        """The sentence under `key`, in Chinese and in English."""
        table = self.table(key)
        table.allow("zh", "en")
        return Text(zh=table.string("zh"), en=table.string("en"))

    def number(self, key: str) -> float | None:
        """The finite number under `key`, or None without one."""
        if key not in self.values:
            return None
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem(f'"{key}" must be a number, not {_show(value)}', key)
        if not math.isfinite(value) or abs(value) > 1e6:
            raise self.problem(
                f'"{key}" must be an ordinary number, not {_show(value)}; leave it out for no limit', key
            )
        return float(value)

    def date(self, key: str) -> datetime.date:
        """The date under `key`, which must be there, unquoted, year first."""
        value = self._needed(key, "a date such as 2026-11-22")
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise self.problem(f'"{key}" must be a date without quotes, such as 2026-11-22, not {_show(value)}', key)
        return value

    def _needed(self, key: str, what: str) -> Any:
        if key not in self.values:
            raise self.problem(f'"{key}" is missing; it must be {what}')
        return self.values[key]


def _show(value: object) -> str:
    shown = repr(value) if isinstance(value, str | bool | int | float) else type(value).__name__
    return shown if len(shown) <= 60 else shown[:57] + "..."
