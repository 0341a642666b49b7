"""What publish does when an enhance worker is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.config import Config
from engine.contracts.faces import TrackResult
from engine.pipeline.links import Outgoing, link_pair, outgoing
from engine.pipeline.policy import policy_of
from engine.pipeline.publish_worker import _PublishWorker
from engine.runtime.channel import Channel
from engine.runtime.protocol import Attach, Drain
from engine.runtime.worker import WorkerContext
from tests.publish.samples import track


class Heard:
    """In the place of the publisher: remembers the tracks that are sent."""

    def __init__(self) -> None:
        self.tracks: list[int] = []

    def send(self, body: TrackResult, payloads: list[memoryview], give_up: object) -> TrackResult:
        self.tracks.append(body.track.track_id)
        return body


def said(track_id: int) -> Outgoing:
    return outgoing(*track(track_id=track_id))


class Bench:
    """A publish worker, its supervisor's line, and the first enhance worker's."""

    def __init__(self) -> None:
        self.supervisor, control = link_pair()
        upstream, self.enhance = link_pair()
        self.heard = Heard()
        self.worker = _PublishWorker(
            WorkerContext("publish", control),
            {"enhance-1": upstream},
            Config(),
            self.heard,  # type: ignore[arg-type]
            {},
            None,
            policy_of(has_camera=True),
        )

    def replace(self) -> Channel:
        """Start another enhance worker."""
        theirs, ours = link_pair()
        self.supervisor.send_channel(Attach("upstream", "enhance-1"), theirs)
        self.worker._obey()
        return ours

    def read(self) -> None:
        """Take all that can be read now."""
        while ready := [channel for channel in self.worker._inbox.channels if channel.has_message()]:
            self.worker._receive(ready[0])


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.supervisor.close()


def test_what_a_dead_worker_had_sent_comes_before_its_successors(bench: Bench):
    for number in range(3):
        bench.enhance.send(said(number))
    bench.enhance.close()
    second = bench.replace()
    second.send(said(10))
    second.close()
    third = bench.replace()
    third.send(said(20))
    bench.read()
    assert bench.heard.tracks == [0, 1, 2, 10, 20]
    third.send(Drain())
    bench.read()
    assert [drain.outcome for drain in bench.worker._drains] == ["completed"]


def test_a_successor_of_one_that_is_gone_is_read_at_once(bench: Bench):
    bench.enhance.close()
    bench.read()
    assert not bench.worker._inbox.is_open("enhance-1")
    bench.replace().send(said(10))
    bench.read()
    assert bench.heard.tracks == [10]
