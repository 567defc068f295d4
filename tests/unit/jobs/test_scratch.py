from pathlib import Path

import pytest

from voicegauge.jobs.scratch import PREFIX, worker_folder


def test_a_worker_leaves_nothing(tmp_path: Path) -> None:
    with worker_folder(tmp_path) as folder:
        (folder / "spilled").write_bytes(b"x")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_worker_left_is_removed_and_what_a_live_one_has_is_not(tmp_path: Path) -> None:
    dead = tmp_path / f"{PREFIX}dead"
    (dead / "child-1").mkdir(parents=True)
    (dead / "lock").touch()
    with worker_folder(tmp_path) as alive:
        assert not dead.exists()
        with worker_folder(tmp_path):
            assert alive.exists()


def test_a_worker_that_fails_leaves_nothing_either(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="flaw"), worker_folder(tmp_path):
        raise ValueError("flaw")
    assert list(tmp_path.iterdir()) == []
