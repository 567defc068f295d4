"""From paths to an assessment: the one place where files, models and measurements meet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from voicegauge._version import __version__
from voicegauge.assessment.assess import measure
from voicegauge.assessment.judge import judge
from voicegauge.assessment.ports import Models
from voicegauge.assessment.profile import Assessment
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import (
    Finding,
    Language,
    Measurement,
    Property,
    Reason,
    RecordingMeasurements,
    Severity,
    Text,
)
from voicegauge.errors import RecordingError
from voicegauge.ingest.sources import Source, collect
from voicegauge.models import load_models
from voicegauge.models.stamps import model_stamps
from voicegauge.profiles.loader import load_profile
from voicegauge.settings import onnx_provider

__all__ = ["Progress", "assess", "default_jobs", "measure_source"]


@dataclass(frozen=True)
class Progress:
    """How far an assessment is: recordings done, recordings in all, seconds of audio measured."""

    done: int
    total: int
    audio_s: float


def default_jobs() -> int:
    """Return how many recordings are measured at a time: the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def assess(
    paths: Sequence[str | Path] | str | Path,
    *,
    language: Language = "CN",
    profile: str | Path = "default",
    jobs: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Assessment:
    """Judge recordings as one body: is this good enough to train a voice with, and what to do where it is not.

    Parameters
    ----------
    paths : path or sequence of paths
        Audio files, folders and zips of them. A transcript is a .txt beside a recording, with the same stem.
    language : {"CN", "EN"}
        What is spoken.
    profile : str or path
        The name of a bundled profile, or a TOML file.
    jobs : int >= 1, optional
        Recordings measured at a time; the number of usable processors when not given.
    on_progress : callable, optional
        Called with a :class:`Progress` now and then, from worker threads, one call at a time.

    Returns
    -------
    Assessment
        A recording that cannot be read is a finding in it, never an exception.

    Raises
    ------
    NoRecordingsError
        A path does not exist, or there is nothing to assess under the paths.
    ProfileError
        The profile does not exist or breaks a rule.
    ArchiveError
        A zip cannot be read as a whole.

    Examples
    --------
    >>> import voicegauge
    >>> assessment = voicegauge.assess("takes/", language="EN")  # doctest: +SKIP
    >>> assessment.within, assessment.advice.en  # doctest: +SKIP
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs must be at least 1, not {jobs}")
    jobs, provider = jobs or default_jobs(), onnx_provider()
    loaded_profile = load_profile(profile, language)
    each = [paths] if isinstance(paths, str | Path) else paths
    collection = collect([Path(path) for path in each])
    recordings = _measure_all(
        collection.sources,
        language=language,
        models=load_models(threads=max(1, jobs // len(collection.sources)), provider=provider),
        jobs=jobs,
        on_progress=on_progress,
    )
    return judge(
        recordings, loaded_profile, version=__version__, ignored=collection.ignored, models=model_stamps(provider)
    )


def measure_source(
    source: Source, *, language: Language, models: Models, on_progress: Callable[[float], None] | None = None
) -> RecordingMeasurements:
    """Measure one recording; what cannot be read becomes a finding."""
    try:
        with source.open() as recording:
            measured = measure(recording, language=language, models=models, on_progress=on_progress)
            return replace(measured, findings=(*recording.findings, *measured.findings))
    except RecordingError as error:
        return _unreadable(source.name, error, language)


def _unreadable(name: str, error: RecordingError, language: Language) -> RecordingMeasurements:
    return RecordingMeasurements(
        name=name,
        duration_s=None,
        sample_rate_hz=None,
        channels=None,
        measurements={prop: Measurement(None, unit_of(prop, language), Reason.UNREADABLE) for prop in Property},
        findings=(Finding(error.code, Severity.REJECT, Text(error.message_zh, error.message_en)),),
    )


class _Counter:
    """Adds up what the worker threads report."""

    def __init__(self, total: int, report: Callable[[Progress], None] | None) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._total = total
        self._audio_s: dict[str, float] = {}
        self._report = report

    def audio(self, name: str, seconds: float) -> None:
        with self._lock:
            self._audio_s[name] = seconds
            self._send()

    def finished(self) -> None:
        with self._lock:
            self._done += 1
            self._send()

    def _send(self) -> None:
        if self._report is not None:
            self._report(Progress(self._done, self._total, sum(self._audio_s.values())))


def _measure_all(
    sources: Sequence[Source],
    *,
    language: Language,
    models: Models,
    jobs: int,
    on_progress: Callable[[Progress], None] | None,
) -> list[RecordingMeasurements]:
    counter = _Counter(len(sources), on_progress)

    def run(source: Source) -> RecordingMeasurements:
        measured = measure_source(
            source, language=language, models=models, on_progress=lambda seconds: counter.audio(source.name, seconds)
        )
        counter.finished()
        return measured

    # Threads suffice: the time goes into FFTs and networks, which let go of the interpreter lock.
    with ThreadPoolExecutor(min(jobs, len(sources)), thread_name_prefix="measure") as pool:
        futures = [pool.submit(run, source) for source in sources]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
