"""Which learned models took part in a measurement."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelStamp"]


@dataclass(frozen=True)
class ModelStamp:
    """One model, as it was.

    Attributes
    ----------
    name : str
        As in `Definition.models`.
    file : str
        The file, with the package that brings it.
    sha256 : str
        Of the file's content; of the arrays in it where the file is ours.
    engine : str
        What runs it.
    """

    name: str
    file: str
    sha256: str
    engine: str
