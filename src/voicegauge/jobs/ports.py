"""What a job does, as the engine sees it; the composition root hands in an implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["Pipeline", "TaskEvent", "Uploads"]


@dataclass(frozen=True)
class TaskEvent:
    """That a task of a job is over in this worker, for those who count and measure.

    Attributes
    ----------
    kind, outcome : str
        What was done, and how it went: "failed" is an exception, "died" a process that ended without an answer.
    seconds : float
        From when a process was free for it.
    job_id, project_id : str
    """

    kind: Literal["plan", "measure", "conclude"]
    outcome: Literal["done", "failed", "died", "timed_out", "out_of_memory", "cancelled"]
    seconds: float
    job_id: str
    project_id: str


class Pipeline(Protocol):
    """Planning and measuring run in child processes, so an implementation and what it answers must be picklable."""

    def plan(self, object_key: str) -> Sequence[tuple[str, float]]:
        """List the recordings of an upload, in the order of the result.

        Each is its name in the upload, and the processor seconds that measuring it may take, by a rough estimate.

        Raises
        ------
        ArchiveError
            The upload cannot be assessed as a whole; the job ends FAILED with this code and message.
        """
        ...

    def measure(self, object_key: str, names: Sequence[str], language: str) -> Sequence[dict[str, Any]]:
        """Measure recordings of an upload; return what `conclude` needs of them, as plain JSON without NaN.

        A bad recording is a finding in its measurements. What raises, crashes or hangs is tried again a few times.
        """
        ...

    def conclude(self, object_key: str, measured: Sequence[dict[str, Any]], language: str) -> dict[str, Any]:
        """Judge everything measured as one body; return the result in its documented JSON form.

        Runs in the worker itself and must be quick. Raises ArchiveError where nothing in the upload can be judged.

        What raises MachineError or ModelError, here as in the others, is no fault of the upload: it is tried again
        until it does not.
        """
        ...


class Uploads(Protocol):
    """Where uploads lie, as far as jobs care. Calls may block, and raise MachineError while the place is away."""

    def freeze(self, key: str) -> str | None:
        """Give what lies under a key now a new key, which no upload can reach; None where nothing lies there.

        Raises UploadTooLargeError.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def purge(self, key: str) -> None:
        """Remove what lies under an upload's key, and every frozen copy of it."""
        ...
