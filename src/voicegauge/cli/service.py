"""`voicegauge serve`, `worker`, `migrate`, `keys`: the service's commands; what they need is imported when they run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from voicegauge import settings
from voicegauge.errors import MachineError

__all__ = ["add_commands", "import_service"]

PLACES = ("data", "database", "objects")
ADDRESSES = ("host", "port", "public_url")
UPLOADS = ("upload_lifetime_s", "upload_max_bytes")
WORK = ("processes", "jobs_per_project", "task_memory_mb", "drain_s", "keep_uploads_days", "keep_jobs_days")


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the service's commands."""
    serve = commands.add_parser(
        "serve",
        help="run the MetaStudio-compatible service, its worker included",
        description="Runs the service and a worker. The first start on an empty data folder makes a project and an"
        " access key and prints the lines to paste. With --database and --objects many machines share the work.",
    )
    settings.add_flags(serve, *PLACES, *ADDRESSES, *UPLOADS, "api_only", *WORK, "log_format")
    serve.set_defaults(run=_serve)

    worker = commands.add_parser(
        "worker",
        help="run one more worker, on this machine or another",
        description="Runs a worker on the data folder of a service on this machine, or, with --database and --objects,"
        " on what the services and workers of many machines share.",
    )
    settings.add_flags(worker, *PLACES, "host", "health_port", *UPLOADS, *WORK, "log_format")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser(
        "migrate",
        help="make or upgrade the database's tables",
        description="Makes or upgrades the tables of a PostgreSQL database, before the first start and before a newer"
        " version. A SQLite database is upgraded by the service itself.",
    )
    settings.add_flags(migrate, "data", "database")
    migrate.set_defaults(run=_migrate)

    keys = commands.add_parser("keys", help="create, list and revoke access keys").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    create = keys.add_parser("create", help="make an access key and print it, once")
    create.add_argument("--project", metavar="PROJECT_ID", help="an existing project (default: the first one)")
    list_ = keys.add_parser("list", help="list the access keys, without their secrets")
    revoke = keys.add_parser("revoke", help="end an access key and its tokens")
    revoke.add_argument("access_key", metavar="ACCESS_KEY")
    for parser, run in ((create, _keys_create), (list_, _keys_list), (revoke, _keys_revoke)):
        settings.add_flags(parser, "data", "database")
        parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: table)")
        parser.set_defaults(run=run)


def import_service() -> Any:
    """Import the service, or say what to install."""
    try:
        from voicegauge import service
    except ImportError as error:
        raise MachineError(
            f'the service needs more than the library ({error.name} is missing): pip install "voicegauge[service]"'
        ) from error
    return service


def _serve(flags: argparse.Namespace) -> int:
    import_service().serve(settings.from_flags(flags), _announce)
    return 0


def _announce(address: str, installation: Any) -> None:
    print(f"voicegauge is listening on {address}", flush=True)
    credential = installation.first_credential
    if credential is not None:
        print(first_steps(installation.settings.public_url or address, credential), flush=True)


def first_steps(address: str, credential: Any) -> str:
    """Say, once, what to paste: the key is not shown again."""
    values = {
        "address": address,
        "access_key": credential.access_key,
        "secret_key": credential.secret_key,
        "project_id": credential.project_id,
    }
    return FIRST_KEY.format(**values) + FIRST_STEPS


FIRST_KEY = """
This is the first start, so there is a new project with an access key. Its secret key is shown this once;
`voicegauge keys create` makes more keys (give it the same --data). Leave this running and paste elsewhere:

export VOICEGAUGE_URL={address}
export HUAWEICLOUD_SDK_AK={access_key}
export HUAWEICLOUD_SDK_SK={secret_key}
export HUAWEICLOUD_SDK_PROJECT_ID={project_id}
"""

FIRST_STEPS = r"""
Then, where your recordings lie zipped as takes.zip, with curl:

JOBS="$VOICEGAUGE_URL/v1/$HUAWEICLOUD_SDK_PROJECT_ID/voice-training-manage/user/short-jobs"
AUTH='{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "%s", "password": "%s",
  "domain": {"name": "voicegauge"}}}}, "scope": {"project": {"id": "%s"}}}}'
TOKEN=$(printf "$AUTH" "$HUAWEICLOUD_SDK_AK" "$HUAWEICLOUD_SDK_SK" "$HUAWEICLOUD_SDK_PROJECT_ID" |
  curl -fsSi "$VOICEGAUGE_URL/v3/auth/tokens" -H 'Content-Type: application/json' -d @- |
  tr -d '\r' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p')
JOB=$(curl -sS "$JOBS" -H "X-Auth-Token: $TOKEN" -H 'Content-Type: application/json' \
  -d '{"job_type": "VOICE_ASSESS", "language": "EN"}')
JOB_ID=$(sed 's/.*"job_id":"\([^"]*\)".*/\1/' <<< "$JOB")
PUT_URL=$(sed 's/.*"data_uploading_url":"\([^"]*\)".*/\1/' <<< "$JOB")
curl -sS -X PUT -T takes.zip -H 'Content-Type: application/zip' "$PUT_URL"
curl -sS -X POST "$JOBS/$JOB_ID" -H "X-Auth-Token: $TOKEN"
curl -sS "$JOBS/$JOB_ID" -H "X-Auth-Token: $TOKEN" | python3 -m json.tool --no-ensure-ascii

or with the vendor's SDK for Python (pip install huaweicloudsdkmetastudio requests):

import os, requests
from huaweicloudsdkmetastudio.v1 import *
client = MetaStudioClient.new_builder().with_endpoint(os.environ["VOICEGAUGE_URL"]).build()
job = client.create_short_job(CreateShortJobRequest(body=CreateShortJobReq("VOICE_ASSESS", language="EN")))
requests.put(job.data_uploading_url, open("takes.zip", "rb"), headers={"Content-Type": "application/zip"})
client.commit_short_job(CommitShortJobRequest(job_id=job.job_id))
print(client.show_short_job(ShowShortJobRequest(job_id=job.job_id)))

Repeat the last line of either until the state is SUCCEED or FAILED. The language is EN or CN."""


def _worker(flags: argparse.Namespace) -> int:
    import_service().work(settings.from_flags(flags), lambda: print("voicegauge worker is ready", flush=True))
    return 0


def _migrate(flags: argparse.Namespace) -> int:
    print(f"the database is at revision {import_service().migrate(settings.from_flags(flags))}")
    return 0


def _keys_create(flags: argparse.Namespace) -> int:
    service = import_service()
    directory, first_credential = service.open_directory(settings.from_flags(flags))
    credential = first_credential or service.make_key(directory, flags.project)
    made = {
        "access_key": credential.access_key,
        "secret_key": credential.secret_key,
        "project_id": credential.project_id,
    }
    if flags.format == "json":
        print(json.dumps(made))
    else:
        for name, value in made.items():
            print(f"{name:<12}{value}")
    return 0


def _keys_list(flags: argparse.Namespace) -> int:
    keys = import_service().open_directory(settings.from_flags(flags))[0].list_keys()
    if flags.format == "json":
        print(json.dumps([asdict(key) for key in keys]))
        return 0
    for key in keys:
        created = datetime.fromtimestamp(key.created_s, UTC).isoformat(" ", "minutes")
        print(f"{key.access_key}  {key.project_id}  {created}  {'valid' if key.revoked_s is None else 'revoked'}")
    return 0


def _keys_revoke(flags: argparse.Namespace) -> int:
    import_service().open_directory(settings.from_flags(flags))[0].revoke_key(flags.access_key)
    print(json.dumps({"revoked": flags.access_key}) if flags.format == "json" else f"{flags.access_key} is revoked")
    return 0
