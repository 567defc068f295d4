"""What the workers are scaled on, asked of a real database."""

from __future__ import annotations

import re
import time

import sqlalchemy as sa

from tests.deploy.manifests import DEPLOY, environment, kubernetes, workloads
from voicegauge.database import open_database, upgrade
from voicegauge.jobs.engine import CLAIMS_PER_PROCESS, JobQueue, WorkerSettings
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore


class Uploaded:
    """Everything was uploaded."""

    def freeze(self, key: str) -> str | None:
        return f"{key}.frozen"

    def delete(self, key: str) -> None:
        pass

    def purge(self, key: str) -> None:
        pass


def trigger() -> dict[str, str]:
    (scaled,) = kubernetes("ScaledObject")
    (only,) = scaled["spec"]["triggers"]
    metadata: dict[str, str] = only["metadata"]
    return metadata


def test_what_waits_and_may_begin_is_counted_with_the_rights_that_the_form_grants(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    upgrade(engine, backup_folder=None)
    queue = JobQueue(engine)
    jobs = JobService(JobStore(engine, time.time), queue, uploads=Uploaded(), upload_lifetime_s=600)
    role = f"scaler_of_{engine.url.database}"
    form = (DEPLOY / "kubernetes/secret.example.yaml").read_text(encoding="utf-8")
    grants = [grant.replace("voicegauge_scaler", role) for grant in re.findall(r"GRANT .*;", form)]

    def counted() -> int:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL ROLE {role}")
            return int(connection.exec_driver_sql(trigger()["query"]).scalar_one())

    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {role}")
            for grant in grants:
                connection.exec_driver_sql(grant)
        assert counted() == 0
        for project_id, count in (("busy", WorkerSettings.jobs_per_project + 3), ("small", 2)):
            for _ in range(count):
                jobs.commit(project_id, jobs.create(project_id, "EN", None).job_id)
        assert counted() == WorkerSettings.jobs_per_project + 2
        with engine.begin() as connection:
            # As the workflow of a job does.
            connection.execute(
                sa.text("UPDATE dbos.workflow_status SET queue_name = 'chunks' WHERE queue_partition_key = 'busy'")
            )
        assert counted() == WorkerSettings.jobs_per_project + 3 + 2
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")
        queue.close()
        engine.dispose()


def test_a_worker_is_asked_for_as_much_as_it_takes_at_a_time() -> None:
    processes = int(environment(workloads()["voicegauge-worker"])["VOICEGAUGE_PROCESSES"])
    assert int(trigger()["targetQueryValue"]) == CLAIMS_PER_PROCESS * processes
