"""Kubernetes: what is applied as it stands, the fleet's patches merged into it, and the parts of KubeRay's resources that are
Kubernetes's own."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from engine.config.file import load_config
from tests.deploy.test_files import DEPLOY, checked, tool
from tests.patience import PATIENCE_SECONDS

BASE, FLEET, ARCHIVE = (DEPLOY / "kubernetes" / part for part in (".", "fleet", "archive"))
RAYJOB = yaml.safe_load((ARCHIVE / "rayjob.yaml").read_text(encoding="utf-8"))
CLUSTER = RAYJOB["spec"]["rayClusterSpec"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
_JOB = {
    "entrypoint", "submissionMode", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "rayClusterSpec",
}  # fmt: skip
_GROUP = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
"""Fields of ray.io/v1, by KubeRay's reference; its definitions are not at hand to check with."""
_NAMED = ("containers", "env", "ports", "volumes", "volumeMounts")
"""Lists that a strategic merge joins by name; the policy's lists, and all others, it replaces."""


def merged(base: Any, patch: Any, key: str = "") -> Any:
    """Apply a strategic merge patch, as kustomize would."""
    if isinstance(base, dict) and isinstance(patch, dict):
        both = base.keys() & patch.keys()
        return base | patch | {name: merged(base[name], patch[name], name) for name in both}
    if isinstance(base, list) and isinstance(patch, list) and key in _NAMED:
        found = {one["name"]: one for one in base}
        for one in patch:
            found[one["name"]] = merged(found.get(one["name"], one), one)
        return list(found.values())
    return patch


def documents(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the resources of a folder by kind and name."""
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
    found = [one for path in files for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


@pytest.fixture
def fleet() -> dict[tuple[str, str], dict[str, Any]]:
    """The resources with the component ``fleet``."""
    base, patches = documents(BASE), documents(FLEET)
    assert patches.keys() <= base.keys()
    return {key: merged(copy.deepcopy(one), patches.get(key, {})) for key, one in base.items()}


def test_every_patch_of_the_fleet_is_named() -> None:
    named = yaml.safe_load((FLEET / "kustomization.yaml").read_text(encoding="utf-8"))["patches"]
    assert sorted(one["path"] for one in named) == sorted(
        path.name for path in FLEET.glob("*.yaml") if path.name != "kustomization.yaml"
    )


def test_kubernetes_knows_every_field_of_a_fleet(fleet, tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(yaml.safe_dump_all(fleet.values()))
    assert checked(tool("kubernetes-validate"), "--strict", path).count("passed") == len(fleet)


def test_a_node_is_drained_before_it_ends_and_has_time_for_it(fleet) -> None:
    engine = fleet["StatefulSet", "engine"]["spec"]
    (container,) = engine["template"]["spec"]["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"][-1] == "/etc/facestream/drain.sh"
    assert engine["template"]["spec"]["terminationGracePeriodSeconds"] > 60 * 2
    assert {port["name"] for port in container["ports"]} == {"http", "fleet"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert fleet["PodDisruptionBudget", "engine"]["spec"]["maxUnavailable"] == 1


def test_the_configuration_of_a_node_is_valid_and_its_port_is_let_in(fleet, tmp_path: Path) -> None:
    (tmp_path / "serve.yaml").write_text(fleet["ConfigMap", "engine"]["data"]["serve.yaml"])
    config = load_config(tmp_path / "serve.yaml")
    (container,) = fleet["StatefulSet", "engine"]["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert config.fleet.listen == f"tcp://0.0.0.0:{ports['fleet']}"
    assert {"name": "FACESTREAM_FLEET_DATABASE", "value": config.fleet.database} in container["env"]
    service = fleet["Service", "engine"]
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    assert config.fleet.address == "{node}." + service["metadata"]["name"], "a pod's own name, whatever translates its address"
    assert fleet["StatefulSet", "engine"]["spec"]["serviceName"] == service["metadata"]["name"]
    policy = fleet["NetworkPolicy", "engine"]["spec"]
    assert {"port": ports["fleet"]} in [port for rule in policy["egress"] for port in rule.get("ports", [])]


@pytest.mark.parametrize(("holds", "calls"), [((2, 1, 0), 3), ((0,), 1)])
def test_the_hook_waits_until_the_node_has_no_camera(fleet, tmp_path: Path, holds: tuple[int, ...], calls: int) -> None:
    """With a `facestream` that tells of one camera less each time, and a `sleep` that does not."""
    script = tmp_path / "drain.sh"
    script.write_text(fleet["ConfigMap", "engine"]["data"]["drain.sh"])
    (tmp_path / "holds").write_text("\n".join(map(str, holds)) + "\n")
    (tmp_path / "facestream").write_text(
        f"""#!/bin/sh
cd {tmp_path}; echo "$2" >> calls
[ "$2" = status ] || exit 0
other='{{"name": "x", "holds": 9}}'
echo "{{\\"nodes\\": [{{\\"name\\": \\"$(hostname)\\", \\"holds\\": $(head -1 holds)}}, $other]}}"
sed -i 1d holds
"""
    )
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for name in ("facestream", "sleep"):
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(["sh", script], env={"PATH": path}, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "calls").read_text().split() == ["drain", *["status"] * calls]


def test_an_archive_has_only_fields_that_are_known() -> None:
    assert (RAYJOB["apiVersion"], RAYJOB["kind"]) == ("ray.io/v1", "RayJob")
    assert RAYJOB["spec"].keys() <= _JOB
    assert CLUSTER.keys() <= {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    assert all(group.keys() <= _GROUP for group in GROUPS)
    assert all(group["minReplicas"] <= group["replicas"] <= group["maxReplicas"] for group in GROUPS[1:])
    assert all(isinstance(value, str) for group in GROUPS for value in group["rayStartParams"].values())


def test_the_image_of_an_archive_has_what_kuberay_asks() -> None:
    """Ray alone has neither the server that takes a job nor the one that says whether a pod lives: each would be replaced."""
    assert RAYJOB["spec"]["submissionMode"] == "HTTPMode"
    told = re.search(r"EXTRAS=([\w,]+)` \(and `,s3`\)", (DEPLOY.parent / "docs" / "fleet.md").read_text(encoding="utf-8"))
    extras = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    needs = [Requirement(one) for extra in told[1].split(",") for one in extras[extra]]
    assert [one.extras for one in needs if one.name == "ray"] == [{"default"}]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_kubernetes_knows_every_field_of_an_archives_pods(group: dict[str, Any], tmp_path: Path) -> None:
    template = group["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"name": "ray", **template["metadata"]}}
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
    assert checked(tool("kubernetes-validate"), "--strict", tmp_path / "pod.yaml").count("passed") == 1
    (container,) = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}
    assert container["livenessProbe"]["httpGet"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
