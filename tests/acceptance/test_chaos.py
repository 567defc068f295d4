"""The trials of bench/chaos.py in small: what is counted must hold, what is timed is left to the bench."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.bad_guests import poison, zombie
from tests.chaos.cut_off import kills, outage
from tests.chaos.embedded import embedded
from tests.chaos.load import load
from tests.chaos.outcome import Outcome
from tests.chaos.sharing import fairness, scaling
from tests.chaos.site import Servers
from tests.servers.bucket import Bucket
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.xdist_group("chaos")


@pytest.fixture
def servers(postgres: Postgres, bucket: Bucket) -> Servers:
    postgres.start()
    bucket.start()
    return Servers(postgres, bucket)


def check(outcome: Outcome) -> None:
    assert not outcome.faults, "; ".join(outcome.seen)


def test_killed_machines_lose_no_job(tmp_path: Path, servers: Servers) -> None:
    check(kills(tmp_path, servers, jobs=16, workers=2, kills=3, every_s=2.0))


def test_servers_that_go_away_lose_no_job(tmp_path: Path, servers: Servers) -> None:
    check(outage(tmp_path, servers, jobs=12, workers=1, away_s=2.0, between_s=2.0))


def test_the_embedded_service_killed_again_and_again(tmp_path: Path) -> None:
    check(embedded(tmp_path, kills=3, clients=4, longest_s=2.0))


def test_poison_harms_its_own_job_only(tmp_path: Path, servers: Servers) -> None:
    check(poison(tmp_path, servers, good_jobs=8, task_timeout_s=4.0, memory_mb=256))


def test_a_worker_back_from_the_dead_changes_nothing(tmp_path: Path, servers: Servers) -> None:
    check(zombie(tmp_path, servers, lease_ttl_s=2.0))


def test_one_job_beside_many_of_another_project(tmp_path: Path, servers: Servers) -> None:
    check(fairness(tmp_path, servers, many=30, task_s=0.5, workers=1, times=1))


def test_what_was_committed_under_load_is_queued(tmp_path: Path, servers: Servers) -> None:
    check(load(tmp_path, servers, connections=4, rounds=1, round_s=0.5, commit_s=1.0))


def test_workers_share_the_work(tmp_path: Path, servers: Servers) -> None:
    check(scaling(tmp_path, servers, workers=(2,), jobs=6, task_s=0.2))
