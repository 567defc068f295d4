"""The trials by name, at full size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.chaos.embedded import embedded
from tests.chaos.outcome import Outcome

TRIALS: dict[str, Callable[[Path], Outcome]] = {
    "embedded": embedded,
}
