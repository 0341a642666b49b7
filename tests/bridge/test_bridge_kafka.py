"""The whole way to a broker that speaks Kafka's protocol, with processes that come and go."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.bench.bridge_kills import kill_at_random
from tests.bridge.carried import BridgeProcess
from tests.bridge.edges import KafkaEdge
from tests.bridge.test_bridge import PAGE, faces
from tests.patience import PATIENCE_SECONDS, until
from tests.publish.samples import environment
from tests.publish.sender import sending
from tests.servers.kafka import KafkaServer
from tests.servers.tansu import require_tansu

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _needs_a_broker() -> None:
    require_tansu()


def test_after_kills_of_the_bridge_all_is_there_once():
    """The broker is not killed beside it: this one then loses what it had acknowledged, now and then."""
    figures = kill_at_random(3, 5, between_seconds=1.0, to="kafka", whom=["bridge"])
    assert {name: figures[name] for name in ("lost", "doubled", "gaps", "exit code")} == dict.fromkeys(
        ("lost", "doubled", "gaps", "exit code"), 0
    )
    assert figures["sent"] > 150


def test_what_comes_while_the_broker_is_away_waits_and_is_there_once_afterwards(tmp_path):
    with KafkaEdge() as broker, sending(rate=400, count=100, replay="tcp://127.0.0.1:*") as site:
        bridge = BridgeProcess(
            site.endpoint, broker.url, tmp_path / "waits", "--replay", site.facts["replay"], "--drain", "0.1"
        )
        broker.kill()
        with bridge:
            until(lambda: bridge.status.get("waiting") == 101, "all of it in the buffer")
            assert bridge.status["link"] == "down"
            assert bridge.stop() == 0
            assert any("101 messages wait in" in sentence for sentence in bridge.said)
            broker.start()
            bridge.start()
            until(lambda: bridge.status.get("waiting") == 0, "all of it at the broker")
            assert bridge.stop() == 0
        assert broker.stored() == faces(100)


def test_the_consumer_runs_as_printed(tmp_path):
    program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    with (
        KafkaServer() as broker,
        sending(rate=400, count=30, replay="tcp://127.0.0.1:*") as site,
        BridgeProcess(
            site.endpoint, broker.url, tmp_path / "waits", "--replay", site.facts["replay"], "--picture-limit", "9"
        ) as bridge,
    ):
        until(lambda: bridge.stored == 31, "all of it at the broker")
        assert bridge.stop() == 0
        for printed, here in (("edge:9092", broker.address), ("poll(60)", "poll(10)")):
            assert program.count(printed) == 1
            program = program.replace(printed, here)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment()
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["cam1 1 known, without a picture"] * 30
