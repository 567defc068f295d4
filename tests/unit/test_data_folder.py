from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from voicegauge.data_folder import make_data_folder, service_lock
from voicegauge.errors import MachineError


def test_the_folder_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    make_data_folder(folder)
    make_data_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match=r"file/data: Not a directory; choose another --data"):
        make_data_folder(tmp_path / "file" / "data")


def test_a_second_service_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with service_lock(tmp_path):
        with pytest.raises(MachineError) as refused, service_lock(tmp_path):
            pass
        assert str(tmp_path) in str(refused.value)
        assert f"process {os.getpid()}" in str(refused.value)
    with service_lock(tmp_path):
        assert stat.S_IMODE((tmp_path / "service.lock").stat().st_mode) == 0o600


def test_a_shorter_number_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "service.lock").write_text("4194304123\n")
    with service_lock(tmp_path):
        assert (tmp_path / "service.lock").read_text() == f"{os.getpid()}\n"
