"""The files of deploy/ agree with the program and with each other."""

from __future__ import annotations

import argparse
import re
import tomllib
from dataclasses import fields

import pytest

from tests.deploy.manifests import (
    DEPLOY,
    ROOT,
    Document,
    compose,
    container,
    dockerfile,
    environment,
    kubernetes,
    mebibytes,
    pins,
    workloads,
)
from voicegauge._version import __version__
from voicegauge.cli import main
from voicegauge.settings import Settings, from_flags

PREFIX = "VOICEGAUGE_"
KNOWN = {PREFIX + setting.name.upper() for setting in fields(Settings)}
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*DEPLOY.rglob("*.yaml"), DEPLOY / "Dockerfile", DEPLOY / "example.env"]
}
OUR_SERVICES = ("migrate", "api", "worker")
COMMANDS = sorted(
    {
        *(" ".join(container(pod)["args"]) for pod in workloads().values()),
        *(" ".join(compose()["services"][name]["command"]) for name in OUR_SERVICES),
    }
)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_variable_is_a_setting(name: str) -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", TEXTS[name])) - KNOWN == set()


@pytest.mark.parametrize("workload", sorted(workloads()))
def test_every_value_is_one_the_setting_takes(workload: str) -> None:
    given = {name: value for name, value in environment(workloads()[workload]).items() if name.startswith(PREFIX)}
    settings = from_flags(argparse.Namespace(), given)
    assert {name: str(getattr(settings, name.removeprefix(PREFIX).lower())) for name in given} == given


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_has_the_flags_it_is_given(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *flags = line.split()
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    shown = capsys.readouterr().out
    assert [flag for flag in flags if flag not in shown] == []


def test_images_are_pinned() -> None:
    images = [line.split()[1] for line in re.findall(r"^FROM .*", dockerfile(), re.MULTILINE)]
    images += [service["image"] for service in compose()["services"].values()]
    images += [container(pod)["image"] for pod in workloads().values()]
    assert [image for image in images if not re.fullmatch(r"[a-z/.]+:(\d+\.\d+|RELEASE\.\d).*", image)] == []
    ours = {image for image in images if image.startswith("voicegauge:")}
    assert ours == {f"voicegauge:{__version__}"}
    (kustomization,) = kubernetes("Kustomization")
    assert [image["newTag"] for image in kustomization["images"]] == [__version__]


def test_the_images_locks_are_parts_of_the_one_that_is_tested() -> None:
    tested = pins(ROOT / "requirements.lock")
    for name in ("requirements-image.lock", "requirements-build.lock"):
        assert pins(DEPLOY / name)
        assert pins(DEPLOY / name) - tested == set()


def test_the_image_holds_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    locked = {pin.partition("==")[0] for pin in pins(DEPLOY / "requirements-image.lock")}
    assert {re.split(r"[<>=\[]", each)[0] for each in wanted} - locked == set()


def test_ports_and_folders_are_the_images() -> None:
    port = str(Settings.port)
    assert set(re.search(r"EXPOSE (.*)", dockerfile())[1].split()) == {port, health_port()}  # type: ignore[index]
    assert f"127.0.0.1:{port}/healthz" in dockerfile()
    assert container(workloads()["voicegauge-api"])["ports"] == [{"name": "http", "containerPort": int(port)}]
    assert container(workloads()["voicegauge-worker"])["ports"] == [
        {"name": "health", "containerPort": int(health_port())}
    ]
    for name, deployment in {each["metadata"]["name"]: each for each in kubernetes("Deployment")}.items():
        (only,) = container(workloads()[name])["ports"]
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == str(only["containerPort"])
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container(workloads()[name])[probe]["httpGet"]["port"] == only["name"]
    for pod in workloads().values():
        mounts = {mount["mountPath"]: mount["name"] for mount in container(pod)["volumeMounts"]}
        assert set(mounts) == {"/data", "/tmp"}
        assert {volume["name"] for volume in pod["volumes"]} == set(mounts.values())
    assert f"127.0.0.1:{health_port()}/healthz" in " ".join(compose()["services"]["worker"]["healthcheck"]["test"])
    policies = {each["metadata"]["name"]: each["spec"]["ingress"][0]["ports"] for each in kubernetes("NetworkPolicy")}
    assert {each["port"] for each in policies["voicegauge"]} == {int(port), int(health_port())}
    assert {each["port"] for each in policies["voicegauge-api"]} == {int(port)}


def health_port() -> str:
    return environment(workloads()["voicegauge-worker"])["VOICEGAUGE_HEALTH_PORT"]


def test_a_worker_is_given_time_to_drain() -> None:
    variables = environment(workloads()["voicegauge-worker"])
    assert (
        workloads()["voicegauge-worker"]["terminationGracePeriodSeconds"] >= int(variables["VOICEGAUGE_DRAIN_S"]) + 20
    )
    worker = compose()["services"]["worker"]
    grace_s = int(worker["stop_grace_period"].removesuffix("s"))
    assert grace_s >= int(worker["environment"]["VOICEGAUGE_DRAIN_S"]) + 20


def test_a_workers_tasks_fit_into_its_memory_and_disk() -> None:
    pod = workloads()["voicegauge-worker"]
    variables = environment(pod)
    resources = container(pod)["resources"]
    needed_mb = int(variables["VOICEGAUGE_PROCESSES"]) * int(variables["VOICEGAUGE_TASK_MEMORY_MB"]) + 512
    assert mebibytes(resources["limits"]["memory"]) >= needed_mb
    assert resources["requests"]["cpu"] == variables["VOICEGAUGE_PROCESSES"]
    volumes_mb = sum(mebibytes(volume["emptyDir"]["sizeLimit"]) for volume in pod["volumes"])
    assert mebibytes(resources["limits"]["ephemeral-storage"]) >= volumes_mb
    # Of which the cache of uploads is 4 of the largest.
    assert mebibytes(pod["volumes"][0]["emptyDir"]["sizeLimit"]) > 4 * Settings.upload_max_bytes / 2**20
    worker = compose()["services"]["worker"]
    processes, limit = (
        re.search(r":-(.*)}", text)[1]  # type: ignore[index]
        for text in (worker["environment"]["VOICEGAUGE_PROCESSES"], worker["deploy"]["resources"]["limits"]["memory"])
    )
    assert mebibytes(limit) >= int(processes) * int(worker["environment"]["VOICEGAUGE_TASK_MEMORY_MB"]) + 512


@pytest.mark.parametrize("workload", sorted(workloads()))
def test_pods_may_do_little(workload: str) -> None:
    pod = workloads()[workload]
    only: Document = container(pod)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in dockerfile()
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= set(only["resources"])


def test_what_is_referred_to_is_there() -> None:
    named = {(each["kind"], each["metadata"]["name"]) for each in kubernetes() if "metadata" in each}
    for pod in workloads().values():
        assert [("ConfigMap", each["configMapRef"]["name"]) in named or each for each in container(pod)["envFrom"][:1]]
        assert ("Secret", container(pod)["envFrom"][1]["secretRef"]["name"]) in named
    for scaler in (*kubernetes("HorizontalPodAutoscaler"), *kubernetes("ScaledObject")):
        assert ("Deployment", scaler["spec"]["scaleTargetRef"]["name"]) in named
    (scaled,) = kubernetes("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in named
    (authentication,) = kubernetes("TriggerAuthentication")
    secrets = {each["metadata"]["name"]: each["stringData"] for each in kubernetes("Secret")}
    for reference in authentication["spec"]["secretTargetRef"]:
        assert reference["key"] in secrets[reference["name"]]
    for owner in (*kubernetes("Service"), *kubernetes("PodDisruptionBudget")):
        selector = owner["spec"]["selector"]
        labels = [each["spec"]["template"]["metadata"]["labels"] for each in kubernetes("Deployment")]
        assert selector.get("matchLabels", selector) in labels
    (kustomization,) = kubernetes("Kustomization")
    files = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert files - set(kustomization["resources"]) == {"kustomization.yaml", "secret.example.yaml"}
    assert set(kustomization["resources"]) <= files


def test_the_vendors_calls_pass_the_edge_and_nothing_else() -> None:
    (ingress,) = kubernetes("Ingress")
    (rule,) = ingress["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/v1/", "/v3/"]
    assert "@service path /v1/* /v3/* /healthz\n" in compose()["configs"]["proxy"]["content"]


def test_no_secret_is_committed() -> None:
    for secret in kubernetes("Secret"):
        assert set(secret["stringData"].values()) == {""}
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    for name, service in compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|_KEY|ROOT_USER", variable):
                match = re.fullmatch(r"\$\{([A-Z_]+):\?.+}", value)
                assert match, (name, variable)
                assert values[match[1]] == ""
    assert "deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
