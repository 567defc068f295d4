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
LOG_FORMATS = ("text", "json")
SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Settings:
    """The settings of the service."""

    data: Path = field(
        default=Path("voicegauge-data"),
        metadata={"help": "folder of what is kept on this machine: database, uploads, caches; made when missing"},
    )
    database: str = field(
        default="",
        # A password may be in it.
        repr=False,
        metadata={"help": "postgresql://user@host/name for many machines; else SQLite in the data folder"},
    )
    objects: str = field(
        default="",
        metadata={"help": "s3://bucket/prefix?endpoint=URL for many machines; else uploads lie in the data folder"},
    )
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8600, metadata={"help": "port to listen on; 0 takes a free one"})
    public_url: str = field(
        default="",
        metadata={"help": "address clients reach this service at, for upload links; else what they called it by"},
    )
    api_only: bool = field(default=False, metadata={"help": "take jobs, and leave the work to `voicegauge worker`"})
    health_port: int = field(
        default=0, metadata={"help": "port on which a worker answers /healthz, /readyz and /metrics; 0 means none"}
    )
    processes: int = field(
        default=0, metadata={"help": "recordings measured at a time; 0 means one for each usable processor"}
    )
    jobs_per_project: int = field(
        default=8, metadata={"help": "jobs of one project in work at a time, over all workers; the others wait"}
    )
    task_memory_mb: int = field(
        default=2048, metadata={"help": "memory that measuring a recording may take, in MiB; beyond it, its job fails"}
    )
    drain_s: int = field(
        default=25, metadata={"help": "seconds that work under way is given to end when a worker is told to stop"}
    )
    upload_lifetime_s: int = field(default=3600, metadata={"help": "seconds an upload link stays valid"})
    upload_max_bytes: int = field(default=5 * 1024**3, metadata={"help": "largest upload accepted, in bytes"})
    keep_uploads_days: int = field(
        default=7, metadata={"help": "days the recordings of an ended job are kept; 0 means for ever"}
    )
    keep_jobs_days: int = field(
        default=90, metadata={"help": "days an ended job and its verdict are kept; 0 means for ever"}
    )
    log_format: str = field(default="text", metadata={"help": "text for people, json for machines", "of": LOG_FORMATS})


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Give a command the flags of the named settings."""
    for setting in _chosen(names):
        default = setting.default if setting.default not in ("", False) else "none"
        switch = isinstance(setting.default, bool)
        how: dict[str, Any] = {"action": "store_const", "const": "1"} if switch else {"metavar": setting.name.upper()}
        parser.add_argument(
            _flag(setting), **how, help=f"{setting.metadata['help']} (default: {default}; {_variable(setting)})"
        )


def from_flags(flags: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settings:
    """Build the settings from parsed flags and the environment; raises UsageError naming the bad one."""
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        text, origin = getattr(flags, setting.name, None), _flag(setting)
        if text is None:
            text, origin = environment.get(_variable(setting)), _variable(setting)
        if text is not None:
            values[setting.name] = _value(setting, text, origin)
    return Settings(**values)


def _value(setting: Field[Any], text: str, origin: str) -> Any:
    allowed = setting.metadata.get("of")
    if allowed is not None and text not in allowed:
        raise UsageError(f"{origin}: {text!r} is none of {', '.join(allowed)}")
    if isinstance(setting.default, bool):
        if text.lower() not in SWITCH:
            raise UsageError(f"{origin}: {text!r} is none of {', '.join(SWITCH)}")
        return SWITCH[text.lower()]
    if not isinstance(setting.default, int):
        return Path(text) if isinstance(setting.default, Path) else text
    try:
        number = int(text)
    except ValueError as error:
        raise UsageError(f"{origin}: {text!r} is not a whole number") from error
    if number < 0:
        raise UsageError(f"{origin}: {text} is negative")
    return number


def onnx_provider(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the onnxruntime execution provider that DNSMOS shall run on, such as CUDAExecutionProvider.

    Set by VOICEGAUGE_ONNX_PROVIDER, for every command and every worker process alike; None is the compiled core.
    """
    return environment.get(ENVIRONMENT_PREFIX + "ONNX_PROVIDER") or None


def _chosen(names: tuple[str, ...]) -> list[Field[Any]]:
    return [setting for setting in fields(Settings) if setting.name in names]


def _flag(setting: Field[Any]) -> str:
    return "--" + setting.name.replace("_", "-")


def _variable(setting: Field[Any]) -> str:
    return ENVIRONMENT_PREFIX + setting.name.upper()
