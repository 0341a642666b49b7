"""Prometheus's configuration and alerts, and Grafana's dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "facestream.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
DOCUMENTED = set(re.findall(r"`(facestream_\w+)", (DEPLOY.parent / "docs" / "metrics.md").read_text(encoding="utf-8")))


def queries() -> list[str]:
    """What the dashboard asks Prometheus, with values in place of its variables."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [text.replace("$__rate_interval", "5m").replace("$engine", ".*").replace("$stream", ".*") for text in found]


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_the_alerts_are_rules_and_fire_when_they_should() -> None:
    for arguments in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = promtool(*arguments[:2], DEPLOY / "prometheus" / arguments[2])
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_can_read_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    token = tmp_path / "token"
    token.write_text("token")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(token)))
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", tmp_path)
    done = promtool("check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_each_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", tmp_path / "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) >= 15


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in RULES)])
def test_each_metric_that_is_asked_for_is_one_that_the_engine_has(query: str) -> None:
    named = set(re.findall(r"facestream_\w+", query)) - {"facestream"}
    assert named
    assert {name.removesuffix("_bucket") for name in named} <= DOCUMENTED | {f"{name}_total" for name in DOCUMENTED}


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["action"].endswith(".")
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_no_panel_lies_on_another() -> None:
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(0 <= x < 24 for x, _ in taken)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
