from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import pytest

from voicegauge.errors import ArchiveError, MachineError
from voicegauge.storage.errors import ObjectNotFoundError
from voicegauge.work import UploadWork

KEY = "p1/job.zip"


def raising(error: Exception) -> UploadWork:
    def local_path(_key: str) -> contextlib.AbstractContextManager[Path]:
        raise error

    return UploadWork(local_path)


def test_an_upload_that_is_gone_ends_the_job_with_words_for_people() -> None:
    work = raising(ObjectNotFoundError("there is no object"))
    for use in (
        lambda: work.plan(KEY),
        lambda: work.measure(KEY, ["a.wav"], "CN"),
        lambda: work.conclude(KEY, [], "CN"),
    ):
        with pytest.raises(ArchiveError, match=r"no longer on the server.*create a new job") as caught:
            use()
        assert caught.value.code == "upload_gone"
        assert "重新上传" in caught.value.message("CN")


def test_trouble_with_the_store_is_not_the_uploads() -> None:
    work = raising(MachineError("the bucket is away"))
    for use in (
        lambda: work.plan(KEY),
        lambda: work.measure(KEY, ["a.wav"], "CN"),
        lambda: work.conclude(KEY, [], "CN"),
    ):
        with pytest.raises(MachineError, match="the bucket is away"):
            use()


def test_an_hour_costs_about_the_same_in_every_format(tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    sizes = {"a.wav": 96_000, "b.FLAC": 40_000, "c.mp3": 8_000}
    with zipfile.ZipFile(path, "w") as archive:
        for name, bytes_per_s in sizes.items():
            archive.writestr(name, bytes(bytes_per_s))
    planned = UploadWork(lambda _key: contextlib.nullcontext(path)).plan(KEY)
    assert [name for name, _ in planned] == list(sizes)
    assert [cpu_s for _, cpu_s in planned] == pytest.approx([0.025] * 3)
