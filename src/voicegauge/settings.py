"""Every setting of the service: its name, its default, its help. Flags and environment variables come from here.

A flag wins over its environment variable (`--data` over `VOICEGAUGE_DATA`), which wins over the default.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from voicegauge.errors import UsageError

__all__ = ["Settings", "add_flags", "from_flags", "onnx_provider"]

ENVIRONMENT_PREFIX = "VOICEGAUGE_"


@dataclass(frozen=True)
class Settings:
    """The settings of the service."""

    data: Path = field(
        default=Path("voicegauge-data"), metadata={"help": "folder of the database and the uploads; made when missing"}
    )
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8600, metadata={"help": "port to listen on; 0 takes a free one"})
    public_url: str = field(
        default="",
        metadata={"help": "address clients reach this service at, for upload links; else what they called it by"},
    )
    processes: int = field(
        default=0, metadata={"help": "recordings measured at a time; 0 means one for each usable processor"}
    )
    upload_lifetime_s: int = field(default=3600, metadata={"help": "seconds an upload link stays valid"})
    upload_max_bytes: int = field(default=5 * 1024**3, metadata={"help": "largest upload accepted, in bytes"})


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Give a command the flags of the named settings."""
    for setting in _chosen(names):
        parser.add_argument(
            "--" + setting.name.replace("_", "-"),
            metavar=setting.name.upper(),
            help=f"{setting.metadata['help']} (default: {setting.default or 'none'}; {_variable(setting)})",
        )


def from_flags(flags: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settings:
    """Build the settings from parsed flags and the environment; raises UsageError naming the bad one."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        text = getattr(flags, setting.name, None)
        origin = "--" + setting.name.replace("_", "-")
        if text is None:
            text, origin = environment.get(_variable(setting)), _variable(setting)
        if text is None:
            continue
        kind = type(getattr(Settings, setting.name))
        try:
            values[setting.name] = kind(text)
        except ValueError as error:
            raise UsageError(f"{origin}: {text!r} is not a whole number") from error
        if kind is int and values[setting.name] < 0:
            raise UsageError(f"{origin}: {text} is negative")
    return Settings(**values)


def onnx_provider(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the onnxruntime execution provider that DNSMOS shall run on, such as CUDAExecutionProvider.

    Set by VOICEGAUGE_ONNX_PROVIDER, for every command and every worker process alike; None is the compiled core.
    """
    return environment.get(ENVIRONMENT_PREFIX + "ONNX_PROVIDER") or None


def _chosen(names: tuple[str, ...]) -> list[Field[Any]]:
    return [setting for setting in fields(Settings) if setting.name in names]


def _variable(setting: Field[Any]) -> str:
    return ENVIRONMENT_PREFIX + setting.name.upper()
