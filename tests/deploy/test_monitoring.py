"""Prometheus's configuration and alerts, and Grafana's dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import PATIENCE_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
DASHBOARDS = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted((DEPLOY / "grafana").glob("*.json"))}
RULES = [
    rule
    for name in ("alerts.yml", "fleet_alerts.yml")
    for group in yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DOCUMENTED = set(re.findall(r"`(facestream_\w+)", (DEPLOY.parent / "docs" / "metrics.md").read_text(encoding="utf-8")))
VARIABLES = {"$__rate_interval": "5m", "$engine": ".*", "$stream": ".*", "$site": ".*", "$node": ".*"}


def queries() -> list[str]:
    """What the dashboards ask Prometheus, with values in place of their variables."""
    found = [target["expr"] for board in DASHBOARDS.values() for panel in board["panels"] for target in panel["targets"]]
    for name, value in VARIABLES.items():
        found = [text.replace(name, value) for text in found]
    return found


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_SECONDS)


def test_the_alerts_are_rules_and_fire_when_they_should() -> None:
    for name in ("alerts", "fleet_alerts"):
        for what, file in (("check", f"{name}.yml"), ("test", f"{name}_test.yml")):
            done = promtool(what, "rules", PROMETHEUS / file)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "fleet.yml", "federation.yml"])
def test_prometheus_can_read_its_configuration(name: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("token")
    text = (PROMETHEUS / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(text.replace("/run/secrets/metrics_token", str(token)))
    for other in ("alerts.yml", "fleet_alerts.yml", "nodes.yml"):
        shutil.copy(PROMETHEUS / other, tmp_path)
    done = promtool("check", "config", tmp_path / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_each_query_of_the_dashboards(tmp_path: Path) -> None:
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", tmp_path / "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) >= 30


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in RULES)])
def test_each_metric_that_is_asked_for_is_one_that_the_engine_has(query: str) -> None:
    recorded = set(re.findall(r"\w+:facestream_\w+:\w+", query))
    assert recorded <= RECORDED
    named = set(re.findall(r"(?<![:\w])facestream_\w+", query))
    assert named | recorded
    assert {name.removesuffix("_bucket") for name in named} <= DOCUMENTED | {f"{name}_total" for name in DOCUMENTED}


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in ALERTS:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["action"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_no_panel_lies_on_another(board: dict[str, Any]) -> None:
    taken = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(0 <= x < 24 for x, _ in taken)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
