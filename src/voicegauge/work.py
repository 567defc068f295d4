"""What a job does with its upload: plan, measure, conclude. Runs in worker processes and knows nothing of queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from voicegauge._version import __version__
from voicegauge.assessment.judge import judge
from voicegauge.assessment.ports import Models
from voicegauge.assessment.values import Language
from voicegauge.errors import ArchiveError
from voicegauge.ingest.names import suffix_of
from voicegauge.ingest.sources import Source, collect_archive
from voicegauge.models import load_models
from voicegauge.models.stamps import model_stamps
from voicegauge.pipeline import measure_source
from voicegauge.profiles.loader import load_profile
from voicegauge.reports.result import assessment_to_json, measurements_from_json, measurements_to_json
from voicegauge.settings import onnx_provider
from voicegauge.storage.errors import ObjectNotFoundError

__all__ = ["UploadWork"]

# Rough: it only decides how recordings are grouped and how long one may take. Bytes of a second of mono speech, WAV and
# FLAC at 48 kHz and 16 bits, the rest at 64 kbit/s; what is stereo or finer costs little more and is guessed longer.
UPLOAD_BYTES_PER_S = {".wav": 96_000, ".flac": 40_000}
OTHER_BYTES_PER_S = 8_000
# Measured: 0.019 to 0.021 with AVX-512, for WAV, FLAC and MP3 alike; 0.015 more with the portable core. Without a core
# it is 0.5, and the factor in the engine's time limit is for that.
CPU_S_PER_S = 0.025


@dataclass(frozen=True)
class UploadWork:
    """Implements :class:`voicegauge.jobs.ports.Pipeline`; picklable when `local_path` is.

    Parameters
    ----------
    local_path : callable
        Gives the file that an object key stands for, valid inside the `with`. ObjectNotFoundError ends the job;
        MachineError passes through, and is for the engine to wait for.
    """

    local_path: Callable[[str], AbstractContextManager[Path]]

    def plan(self, object_key: str) -> list[tuple[str, float]]:
        with self._upload(object_key) as path:
            return [(source.name, _cpu_s(source)) for source in collect_archive(path).sources]

    def measure(self, object_key: str, names: Sequence[str], language: str) -> list[dict[str, Any]]:
        wanted = set(names)
        with self._upload(object_key) as path:
            sources = [source for source in collect_archive(path).sources if source.name in wanted]
            return [
                measurements_to_json(measure_source(source, language=cast(Language, language), models=_models()))
                for source in sources
            ]

    def conclude(self, object_key: str, measured: Sequence[dict[str, Any]], language: str) -> dict[str, Any]:
        profile = load_profile("default", cast(Language, language))
        recordings = [measurements_from_json(document) for document in measured]
        with self._upload(object_key) as path:
            ignored = collect_archive(path).ignored
        assessment = judge(
            recordings, profile, version=__version__, ignored=ignored, models=model_stamps(onnx_provider())
        )
        return assessment_to_json(assessment)

    @contextmanager
    def _upload(self, object_key: str) -> Iterator[Path]:
        try:
            with self.local_path(object_key) as path:
                yield path
        except ObjectNotFoundError as error:
            raise ArchiveError(
                "upload_gone",
                "上传的录音已不在服务器上，无法评估。请新建任务，重新上传。",
                "the upload is no longer on the server, so it cannot be assessed; create a new job and upload again",
            ) from error


@cache
def _models() -> Models:
    return load_models(provider=onnx_provider())


def _cpu_s(source: Source) -> float:
    bytes_per_s = UPLOAD_BYTES_PER_S.get(suffix_of(source.name), OTHER_BYTES_PER_S)
    return source.size_bytes / bytes_per_s * CPU_S_PER_S
