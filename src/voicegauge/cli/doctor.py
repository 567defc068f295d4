"""`voicegauge doctor`: what this installation is made of, and what it lacks."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from typing import Any

from voicegauge._version import __version__

__all__ = ["add_command"]

EXTRAS = {"service": ("fastapi", "uvicorn", "sqlalchemy", "dbos"), "m4a": ("av",)}


def add_command(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `doctor` to the command."""
    parser = commands.add_parser(
        "doctor",
        help="say which engine, SIMD path and model files are in use",
        description="Says which DNSMOS engine, SIMD path and model files are in use, and which extras are installed."
        " Exit code 2 when a model file is missing or damaged.",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> int:
    from voicegauge.models import describe_engine
    from voicegauge.pipeline import default_jobs
    from voicegauge.settings import onnx_provider

    facts = {
        "voicegauge": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processors": str(default_jobs()),
        **describe_engine(onnx_provider()),
        **{f"extra_{name}": _installed(name, modules) for name, modules in EXTRAS.items()},
    }
    if flags.format == "json":
        print(json.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            print(f"{name.replace('_', ' '):<18}{value}")
    return 0


def _installed(extra: str, modules: tuple[str, ...]) -> str:
    if all(importlib.util.find_spec(module) for module in modules):
        return "installed"
    return f'not installed: pip install "voicegauge[{extra}]"'
