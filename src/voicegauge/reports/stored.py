"""Reads a stored result again, so that its measurements can be judged anew.

Every complaint names the file, the field, and what is allowed there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from voicegauge.assessment.profile import Ignored
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.values import (
    Language,
    Property,
    Reason,
    RecordingMeasurements,
    Severity,
    Text,
    Unit,
)
from voicegauge.errors import ResultError
from voicegauge.reports.result import measurements_from_json

__all__ = ["StoredResult", "read_result"]

MAX_FILE_BYTES = 1 << 30
_MAKE_ONE = "make one with: voicegauge assess --format json"


@dataclass(frozen=True)
class StoredResult:
    """What a result holds but for its judgement."""

    version: str
    language: Language
    recordings: tuple[RecordingMeasurements, ...]
    ignored: tuple[Ignored, ...]
    models: tuple[ModelStamp, ...]


def read_result(path: Path) -> StoredResult:
    """Read a result in the form of docs/result.schema.json, judged by one profile or by several.

    Raises
    ------
    ResultError
        The file cannot be read, is larger than 1 GiB, or is no result.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise ResultError(f"cannot read the result {path}: {error.strerror or error}") from error
    if size > MAX_FILE_BYTES:
        raise ResultError(f"{path} is larger than 1 GiB, which no result is")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ResultError(f"{path} is not UTF-8 text, so no result; {_MAKE_ONE}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ResultError(f"{path} is not JSON ({error}), so no result; {_MAKE_ONE}") from error
    return _stored(_Node(str(path), "", document))


def _stored(root: _Node) -> StoredResult:
    if not isinstance(root.value, dict) or "voicegauge" not in root.value or "recordings" not in root.value:
        raise ResultError(f'{root.file} has no "voicegauge" and "recordings", so it is no result; {_MAKE_ONE}')
    language = root.field("language").one_of(("CN", "EN"))
    recordings = list(root.field("recordings").items())
    if not recordings:
        root.field("recordings").refuse("a list that is not empty")
    return StoredResult(
        version=root.field("voicegauge").text(),
        language="CN" if language == "CN" else "EN",
        recordings=tuple(_recording(node) for node in recordings),
        ignored=tuple(Ignored(node.field("name").text(), _text(node.field("why"))) for node in root.list("ignored")),
        models=tuple(_model(node) for node in root.optional("provenance").list("models")),
    )


def _recording(node: _Node) -> RecordingMeasurements:
    node.field("name").text()
    for key in ("duration_s", "sample_rate_hz", "channels"):
        node.field(key).number(null=True, least=0)
    node.optional("speech_s").number(null=True, least=0)
    measurements = node.field("measurements")
    for name, measurement in measurements.members():
        if name not in set(Property):
            measurement.refuse(f"one of: {', '.join(Property)}", what="a measurement of that name")
        _check_measurement(measurement)
    for finding in node.field("findings").items():
        finding.field("kind").text()
        finding.field("severity").one_of(set(Severity))
        _text(finding.field("message"))
        for key in ("start_s", "end_s"):
            finding.field(key).number(null=True)
    for row in node.field("dnsmos_rows").items():
        for key in ("start_s", "sig", "bak", "ovrl"):
            row.field(key).number()
    try:
        return measurements_from_json(node.value)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{node.where}: {error}") from error


def _check_measurement(node: _Node) -> None:
    value = node.field("value").number(null=True)
    node.field("unit").one_of(set(Unit))
    node.field("weight_s").number(least=0)
    if value is None:
        node.field("reason").one_of(set(Reason))
    elif node.optional("reason").value is not None:
        node.field("reason").refuse("left out where there is a value")
    for key, member in node.members():
        if key not in {"unit", "reason"}:
            member.number(null=True)


def _model(node: _Node) -> ModelStamp:
    name, file, sha256, engine = (node.field(key).text() for key in ("name", "file", "sha256", "engine"))
    return ModelStamp(name, file, sha256, engine)


def _text(node: _Node) -> Text:
    return Text(zh=node.field("zh").text(), en=node.field("en").text())


@dataclass(frozen=True)
class _Node:
    """A value in the document, and where it stands."""

    file: str
    path: str
    value: Any

    @property
    def where(self) -> str:
        return f"{self.file}, {self.path}" if self.path else self.file

    def refuse(self, allowed: str, *, what: str | None = None) -> NoReturn:
        raise ResultError(f"{self.where} must be {allowed}, not {what or _show(self.value)}")

    def field(self, key: str) -> _Node:
        """The member under `key`, which must be there."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        if key not in self.value:
            raise ResultError(f'{self.where} lacks "{key}"')
        return self._member(key)

    def optional(self, key: str) -> _Node:
        """The member under `key`, null without one."""
        if self.value is None:
            return self
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return self._member(key)

    def members(self) -> Iterator[tuple[str, _Node]]:
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return ((key, self._member(key)) for key in self.value)

    def items(self) -> Sequence[_Node]:
        if not isinstance(self.value, list):
            self.refuse("a list")
        return [_Node(self.file, f"{self.path}[{index}]", value) for index, value in enumerate(self.value)]

    def list(self, key: str) -> Sequence[_Node]:
        """The items under `key`, none where it is left out."""
        node = self.optional(key)
        return () if node.value is None else node.items()

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.refuse("a text")
        return self.value

    def one_of(self, allowed: Collection[str]) -> str:
        if self.value not in list(allowed):
            self.refuse(f"one of: {', '.join(sorted(allowed))}")
        return str(self.value)

    def number(self, *, null: bool = False, least: float = -math.inf) -> float | None:
        if self.value is None and null:
            return None
        ordinary = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if not ordinary or not math.isfinite(self.value) or self.value < least:
            bound = "" if least == -math.inf else f" of at least {least:g}"
            self.refuse(f"a number{bound}" + (" or null" if null else ""))
        return float(self.value)

    def _member(self, key: str) -> _Node:
        return _Node(self.file, f"{self.path}.{key}" if self.path else key, self.value.get(key))


def _show(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False) if not isinstance(value, dict | list) else type(value).__name__
    return shown if len(shown) <= 60 else shown[:57] + "..."
