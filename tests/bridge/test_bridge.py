"""The whole way, with a publisher, bridges and a broker that are processes, which come and go."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from engine.bridge.bridge import Bridge
from engine.bridge.buffer import Buffer
from engine.bridge.intake import Site
from engine.errors import ConfigError
from tests.bench.bridge_kills import kill_at_random
from tests.bridge.carried import BridgeProcess, has_end, read_stream, stored_ids
from tests.bridge.test_sender import Broker, FakeLink, waiting
from tests.client.wire import Wire
from tests.patience import PATIENCE_SECONDS, until
from tests.publish.samples import context, environment
from tests.publish.sender import sending
from tests.servers.nats import NatsServer, require_nats

pytestmark = pytest.mark.e2e
PAGE = (Path(__file__).parents[2] / "docs" / "bridge.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def broker() -> Iterator[NatsServer]:
    require_nats()
    with NatsServer() as server:
        yield server


def faces(count: int, run: str = "run1", stream: str = "cam1") -> dict[str, int]:
    """The ids of so many faces and of the end, each once."""
    return {f"{run}/{stream}/face/{seq}": 1 for seq in range(count)} | {f"{run}//end/0": 1}


def test_an_endpoint_that_says_rubbish_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bridge.bridge._SHOW_SECONDS", 0.01)
    told: list[str] = []

    async def run(buffer: Buffer, wire: Wire) -> None:
        bridge = Bridge(Site(wire.endpoint, socket="pull"), buffer, Broker([]).open, told.append)
        running = asyncio.create_task(bridge.run(lambda status: seen.append(status.malformed), 0.0))
        while not seen or seen[-1] < 3:
            wire.socket.send_multipart([b"v1/face/", b"rubbish"])
            await asyncio.sleep(0.01)
        bridge.stop()
        await asyncio.wait_for(running, PATIENCE_SECONDS)

    seen: list[int] = []
    opened = context()
    wire = Wire(opened)
    with closing(Buffer(tmp_path, 10**9, "site", warn=told.append)) as buffer:
        asyncio.run(asyncio.wait_for(run(buffer, wire), PATIENCE_SECONDS))
    wire.socket.close()
    opened.term()
    assert sum("cannot be read: the header is not readable" in one for one in told) == 1


def test_where_nobody_publishes_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.client.connection.SILENT_SECONDS", 0.0)
    told, heard = list[str](), asyncio.Event()

    def tell(sentence: str) -> None:
        if sentence.startswith("nothing has come"):  # the link may be up first
            told.append(sentence)
            loop.call_soon_threadsafe(heard.set)

    async def run(buffer: Buffer) -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        bridge = Bridge(Site(f"ipc://{tmp_path}/none"), buffer, Broker([]).open, tell)
        running = asyncio.create_task(bridge.run(lambda status: None, 0.0))
        await heard.wait()
        bridge.stop()
        await running

    loop: asyncio.AbstractEventLoop
    with closing(Buffer(tmp_path, 10**9, "site", warn=lambda _: None)) as buffer:
        asyncio.run(asyncio.wait_for(run(buffer), PATIENCE_SECONDS))
    assert told[0].startswith(f"nothing has come from ipc://{tmp_path}/none for 0 s: nothing answers there")


def test_after_kills_of_the_bridge_and_of_the_broker_all_is_there_once():
    require_nats()
    figures = kill_at_random(1, 5, between_seconds=1.0)
    assert {name: figures[name] for name in ("lost", "doubled", "gaps", "exit code")} == dict.fromkeys(
        ("lost", "doubled", "gaps", "exit code"), 0
    )
    assert figures["sent"] > 150


def test_two_bridges_side_by_side_bring_each_message_once(broker, tmp_path):
    with sending(rate=400, count=100, replay="tcp://127.0.0.1:*") as site:
        options = ("--replay", site.facts["replay"], "--prefix", "pair")
        one = BridgeProcess(site.endpoint, broker.url, tmp_path / "one", *options)
        other = BridgeProcess(site.endpoint, broker.url, tmp_path / "other", *options)
        with one, other:
            until(lambda: all(bridge.stored == 101 for bridge in (one, other)), "all of it, by both")
            assert (one.stop(), other.stop()) == (0, 0)
        assert sum(bridge.status["published"] for bridge in (one, other)) == 101
        assert sum(bridge.status["repeated"] for bridge in (one, other)) == 101
    assert stored_ids(read_stream(broker.url, "facestream-pair")) == faces(100)


def test_what_cannot_be_had_again_is_a_gap_message(broker, tmp_path):
    with sending(rate=200) as site:
        bridge = BridgeProcess(site.endpoint, broker.url, tmp_path / "waits", "--prefix", "gap")
        with bridge:
            until(lambda: bridge.stored > 20, "faces")
            bridge.kill()
            sent = site.status()["published"]
            until(lambda: site.status()["published"] > sent + 50, "faces that nobody hears")
            bridge.start()
            until(lambda: bridge.stored > 20, "more faces")
            assert bridge.stop() == 0
        assert bridge.status["gaps"] >= 1
        assert bridge.status["missed"] >= 50
    headers = [msgpack.decode(message.data)["header"] for message in read_stream(broker.url, "facestream-gap")]
    missing = {n for one in headers if one["kind"] == "gap" for n in range(one["first_seq"], one["last_seq"] + 1)}
    there = {one["seq"] for one in headers if one["kind"] == "face"}
    assert len(missing) >= 50
    assert not missing & there
    assert missing | there == set(range(min(there), max(there) + 1))


def test_what_comes_while_the_broker_is_away_waits_and_a_stop_says_how_much(tmp_path):
    require_nats()
    with NatsServer() as broker, sending(rate=400, count=100, replay="tcp://127.0.0.1:*") as site:
        bridge = BridgeProcess(
            site.endpoint, broker.url, tmp_path / "waits", "--replay", site.facts["replay"], "--drain", "0.1"
        )
        broker.kill()
        with bridge:
            until(lambda: bridge.status.get("waiting") == 101, "all of it in the buffer")
            until(lambda: any("the link is down" in sentence for sentence in bridge.said), "the sentence")
            assert bridge.status["link"] == "down"
            assert bridge.stop() == 0
            assert any("101 messages wait in" in sentence for sentence in bridge.said)
            assert sum("the link is down" in sentence for sentence in bridge.said) == 1
            broker.start()
            bridge.start()
            until(lambda: bridge.stored == 101, "all of it at the broker")
            assert bridge.stop() == 0
        assert stored_ids(read_stream(broker.url)) == faces(100)


def test_the_consumer_runs_as_printed(broker, tmp_path):
    program = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    program, replaced = re.subn(r"nats://[\w.]+:4222", broker.url, program)
    assert replaced == 1
    with sending(rate=400, count=30, replay="tcp://127.0.0.1:*") as site:
        with BridgeProcess(
            site.endpoint, broker.url, tmp_path / "waits", "--replay", site.facts["replay"], "--picture-limit", "9"
        ):
            until(lambda: has_end(broker.url), "the end")
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment()
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:1] == ["cam1 1 known, without a picture"]
    assert len(done.stdout.splitlines()) == 30


class Taken(Broker):
    """One that says when it is left that another bridge carries the site."""

    async def open(self, *asked: Any) -> FakeLink:
        link = await super().open(*asked)

        async def close() -> None:
            raise ConfigError("another bridge serves this site")

        link.close = close  # type: ignore[method-assign]
        return link


@pytest.mark.parametrize("fates", [[], ["lost"] * 4], ids=["all is sent", "some waits"])
def test_what_ends_the_sending_when_all_is_sent_is_no_failure(fates):
    async def run(buffer: Buffer) -> None:
        bridge = Bridge(Site("tcp://127.0.0.1:9"), buffer, Taken(list(fates)).open, lambda _: None)
        running = asyncio.create_task(bridge.run(lambda _: None, 0.5))
        bridge.stop()
        await asyncio.wait_for(running, PATIENCE_SECONDS)

    with waiting(4) as buffer:
        if fates:
            with pytest.raises(ConfigError, match="another bridge serves this site"):
                asyncio.run(run(buffer))
        else:
            asyncio.run(run(buffer))
            assert buffer.waiting == 0
