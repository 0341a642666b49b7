"""What is deployed: container files, compose, systemd and Kubernetes, each by the checker of its kind."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from engine.config.file import load_config
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILES = sorted((DEPLOY / "container").glob("*.Dockerfile"))
MOST_EXPOSED = 1.5
"""Of 10; see ``systemd-analyze security``."""


def checked(*command: str | Path) -> str:
    """Run a checker, which must be content; return what it says."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tool(name: str) -> str:
    """Where a checker is, in this environment or on this machine."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_is_content_with_a_container_file(file: Path) -> None:
    checked(tool("hadolint"), file)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_runs_as_a_user_and_has_a_health_check(file: Path) -> None:
    last = file.read_text(encoding="utf-8").split("\nFROM ")[-1]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert re.search(r"^ARG BASE=\S+:[\w.-]*\d+\.\d+\.\d+[\w.-]*$", file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_is_not_ignored(file: Path) -> None:
    kept = [line[1:] for line in file.with_name(f"{file.name}.dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        part
        for line in re.findall(r"^COPY (?!--from)(.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        for part in line.split()[:-1]
        if not part.startswith("--")
    ]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / part).exists() for part in copied)


def test_every_service_is_pinned_and_may_write_to_its_volumes_alone() -> None:
    for name, service in COMPOSE["services"].items():
        assert re.search(r":(cpu|v?\d+\.\d+\.\d+[\w.-]*)$", service["image"]), name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service, name


def test_nothing_is_reached_from_another_machine() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert len(ports) >= 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_compose_mounts_is_there() -> None:
    mounts = [mount for service in COMPOSE["services"].values() for mount in service.get("volumes", [])]
    for source in (mount.split(":")[0] for mount in mounts):
        where = DEPLOY / "compose" / source
        assert where.exists() if source.startswith(".") else source in COMPOSE["volumes"], source
    assert (DEPLOY / "compose" / COMPOSE["configs"]["engine"]["file"]).exists()


def test_compose_comes_up_without_a_secret_and_may_write_where_it_writes() -> None:
    """A file of a secret that is not there stops all of it; a volume is root's where the image has no folder of its place."""
    for name, service in COMPOSE["services"].items():
        assert bool(service.get("secrets")) == (service.get("profiles") == ["monitoring"]), name
        if service["image"] == "facestream:cpu":
            assert [mount.split(":")[1] for mount in service["volumes"]] == ["/var/lib/facestream"], name


def test_secrets_are_files_that_no_commit_takes() -> None:
    for secret in COMPOSE["secrets"].values():
        path = DEPLOY / "compose" / secret["file"]
        assert (path.parent / ".gitignore").read_text().splitlines() == ["*", "!.gitignore"]
    assert "PASSWORD:" not in (DEPLOY / "compose" / "compose.yaml").read_text()


@pytest.mark.parametrize(("name", "most_exposed"), [("facestream", MOST_EXPOSED), ("facestream-bridge", 1.2)])
def test_systemd_can_read_a_unit_and_finds_it_closed(name: str, most_exposed: float) -> None:
    analyze = tool("systemd-analyze")
    unit = DEPLOY / "systemd" / f"{name}.service"
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    found = [line for line in done.stderr.splitlines() if "facestream" in line and "is not executable" not in line]
    assert found == []
    said = subprocess.run(
        [analyze, "security", "--offline=true", unit], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    exposure = float(re.search(rf"exposure level for {name}\.service: ([\d.]+)", said.stdout)[1])
    assert exposure <= most_exposed
    assert f"**{most_exposed}**" in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_the_user_of_a_unit_can_read_its_configuration() -> None:
    """As told it was root's alone, and the service ended with exit code 2, after which it is not started again."""
    assert "DynamicUser=yes" in (DEPLOY / "systemd" / "facestream.service").read_text(encoding="utf-8")
    told = re.search(r"install -D -m (\d+) serve\.yaml", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"))
    assert int(told[1], 8) & 0o004


def test_kubernetes_knows_every_field() -> None:
    validate = tool("kubernetes-validate")
    files = [path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"]
    assert checked(validate, "--strict", *files).count("passed") >= 6
    named = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(named) == sorted(path.name for path in files)


def test_the_configurations_that_are_deployed_are_valid(tmp_path: Path) -> None:
    kubernetes = yaml.safe_load((DEPLOY / "kubernetes" / "config.yaml").read_text())["data"]["serve.yaml"]
    (tmp_path / "serve.yaml").write_text(kubernetes)
    for path in (DEPLOY / "container" / "serve.yaml", DEPLOY / "compose" / "serve.yaml", tmp_path / "serve.yaml"):
        config = load_config(path)
        assert (config.serve.http, config.serve.http_insecure, config.serve.directory) == ("0.0.0.0:8765", True, "")
        assert config.output.keep_records_days > 0
