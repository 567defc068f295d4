"""The trials by name, at full size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.chaos.bad_guests import poison, zombie
from tests.chaos.cut_off import kills, outage
from tests.chaos.embedded import embedded
from tests.chaos.load import load
from tests.chaos.outcome import Outcome
from tests.chaos.sharing import fairness, scaling
from tests.chaos.site import Servers

TRIALS: dict[str, Callable[[Path, Servers], Outcome]] = {
    "kills": kills,
    "outage": outage,
    "embedded": lambda folder, _: embedded(folder),
    "poison": poison,
    "zombie": zombie,
    "fairness": fairness,
    "load": load,
    "scaling": scaling,
}
