"""What Prometheus reads of a bridge is what its status says, and all of it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from engine.bridge.bridge import BridgeStatus
from engine.bridge.metrics import served
from tests.patience import PATIENCE_SECONDS
from tests.servers.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_each_figure_of_the_status_is_there_under_its_name():
    figures = {name: number for number, name in enumerate(BridgeStatus.__struct_fields__, 1) if name not in ("link", "reason")}
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    with served(address) as metrics:
        assert read(address) == {}
        metrics.show(BridgeStatus(link="up", reason="", **figures))
        assert read(address) == {"link_up": 1} | figures
        metrics.show(BridgeStatus(link="down", reason="nobody is there", **figures))
        assert read(address)["link_up"] == 0
        named = re.findall(r"`facestream_bridge_(\w+?)(?:_total)?`", PAGE.read_text(encoding="utf-8"))
        assert sorted(named) == sorted(read(address))


def read(address):
    """Return the values by their names, without what all names have."""
    with urlopen(f"http://{address}/metrics", timeout=PATIENCE_SECONDS) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    return {one.name.removeprefix("facestream_bridge_").removesuffix("_total"): one.value for one in samples}
