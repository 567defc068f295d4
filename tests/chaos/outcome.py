"""What a trial found out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One trial: what was done, what was seen, and what was not as it must be.

    Attributes
    ----------
    faults : list of str
        Jobs lost, stuck, ended twice or wrongly.
    slow : list of str
        Figures of time that miss their mark, which say little on a machine that does other things too.
    """

    trial: str
    done: str
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults and not self.slow

    def blame(self, wrong: bool, fault: str) -> None:
        """Note a fault where there is one."""
        if wrong:
            self.faults.append(fault)

    def row(self) -> str:
        """Return the outcome as a row of a Markdown table."""
        seen = "; ".join([*self.seen, *(f"**{each}**" for each in self.faults + self.slow)])
        return f"| {self.trial} | {self.done} | {seen} | {'yes' if self.holds else 'no'} |"


HEADER = "| trial | what was done | what was seen | holds |\n|---|---|---|---|"
