"""A decode process dies: what it had sent comes first, its streams are cut, and its memory is let go."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.counts import Counts
from engine.contracts.frames import FrameTime, Planes
from engine.contracts.streams import StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.frame_pool import PoolWriter, slot_bytes_for
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.protocol import Drain
from engine.workers.links import FrameReady, link_pair
from engine.workers.upstream import Upstream
from engine.workers.upstreams import Ordered, Upstreams

GREY = Planes(*(np.full((size, size), 7, np.uint8) for size in (16, 8, 8)))


class Bench:
    def __init__(self, live: bool = False) -> None:
        self.writer, reader = link_pair()
        self.items: list[tuple[Upstream, Ordered]] = []
        self.upstreams = Upstreams(
            {"decode-1": reader}, {"decode-1"} if live else set(), lambda upstream, link: self.items.append((upstream, link))
        )
        self.pool = PoolWriter(1, 2, slot_bytes_for(16, 16))

    def hear(self) -> None:
        while ready := [channel for channel in self.upstreams.readable(live_only=False) if channel.has_message()]:
            self.upstreams.hear(ready[0])

    def frame(self, stream: str, index: int) -> FrameReady:
        slot = self.pool.acquire()
        assert slot is not None
        return FrameReady(stream, FrameTime(index, index, (1, 25), index / 25, 0), self.pool.write(slot, GREY), True)

    def successor(self) -> Channel:
        writer, reader = link_pair()
        self.upstreams.attach("decode-1", reader)
        return writer

    @property
    def states(self) -> list[tuple[str, str, str]]:
        return [(link.stream, link.state, link.reason) for _, link in self.items if isinstance(link, StreamChanged)]


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.pool.close()
    made.upstreams.close()


def maps() -> int:
    return Path("/proc/self/maps").read_text().count("facestream-frames")


def test_a_successor_says_what_became_of_the_stream(bench: Bench):
    before = maps()
    bench.writer.send(bench.pool.opened())
    bench.writer.send(StreamChanged("done", "ended", "end_of_file"))
    bench.writer.send(StreamChanged("bad", "live"))
    bench.writer.send(bench.frame("bad", 0))
    bench.hear()
    bench.writer.send(bench.frame("bad", 1))
    bench.writer.close()  # and before that is noticed
    successor = bench.successor()
    assert [link.time.frame_index for _, link in bench.items if isinstance(link, FrameReady)] == [0, 1]
    assert bench.states == [("done", "ended", "end_of_file"), ("bad", "live", ""), ("bad", "discontinuity", "worker_died")]
    for upstream, link in bench.items:
        if isinstance(link, FrameReady):
            assert upstream.pool_of(link).view(link.picture).y[0, 0] == 7
    assert bench.upstreams.any_open
    for upstream, _ in bench.items:
        bench.upstreams.finished(upstream)
    assert maps() == before, "only the writer's own"
    successor.send(StreamChanged("bad", "failed", "worker_died", "bad.mp4: killed"))
    successor.send(Drain())
    bench.hear()
    assert bench.states[-1] == ("bad", "failed", "worker_died")
    assert not bench.upstreams.any_open
    assert [drain.outcome for drain in bench.upstreams.drains] == ["completed"]
    successor.close()


@pytest.mark.parametrize("noticed", [True, False])
def test_when_the_run_ends_no_successor_is_waited_for(bench: Bench, noticed: bool):
    bench.writer.send(StreamChanged("bad", "live"))
    bench.hear()
    bench.writer.close()
    if noticed:
        bench.hear()
    bench.upstreams.stop_replacing()
    bench.hear()
    assert bench.states[-1] == ("bad", "failed", "worker_died")
    assert not bench.upstreams.any_open
    assert [drain.outcome for drain in bench.upstreams.drains] == ["failed"]


def test_a_pool_that_cannot_be_seen_any_more_is_a_death(bench: Bench):
    bench.writer.send(StreamChanged("bad", "live"))
    bench.writer.send(PoolOpened(1, 1 << 30, 99, 2, slot_bytes_for(16, 16)))
    bench.writer.send(Drain())
    bench.hear()
    assert bench.states == [("bad", "live", ""), ("bad", "discontinuity", "worker_died")]
    assert bench.upstreams.any_open, "a successor will come"


@pytest.mark.parametrize("says_so", [True, False])
def test_a_camera_that_comes_and_goes_leaves_nothing(bench: Bench, says_so: bool):
    gc.collect()  # what other tests left
    before = len(os.listdir("/proc/self/fd")), maps()
    for number in range(20):
        writer, reader = link_pair()
        bench.upstreams.attach("camera-guest", reader)
        with PoolWriter(1, 2, slot_bytes_for(16, 16)) as pool:
            writer.send(pool.opened())
            writer.send(StreamChanged("guest", "live"))
            slot = pool.acquire()
            assert slot is not None
            writer.send(FrameReady("guest", FrameTime(0, 0, (1, 25), 0.0, 0), pool.write(slot, GREY), True, live=True))
            if number % 2:
                bench.hear()
            if says_so:
                writer.send(StreamChanged("guest", "ended", "drained"))
                writer.send(Drain("completed", "the camera was removed", Counts({"frames": 1})))
            writer.close()
            bench.upstreams.detach("camera-guest")
        states = bench.states[-1]
        assert states == (("guest", "ended", "drained") if says_so else ("guest", "failed", "worker_died"))
        for upstream, link in bench.items:
            if isinstance(link, FrameReady):
                assert upstream.pool_of(link).view(link.picture).y[0, 0] == 7, "readable until it is done with"
            bench.upstreams.finished(upstream)
        assert sum(isinstance(link, FrameReady) for _, link in bench.items) == 1
        bench.items.clear()
    assert (len(os.listdir("/proc/self/fd")), maps()) == before
    assert bench.upstreams.any_open, "the other one is still there"
    assert [drain.counts.run for drain in bench.upstreams.drains] == ([{"frames": 20}] if says_so else [])


def test_nothing_happens_when_somebody_leaves_who_was_never_there(bench: Bench):
    bench.upstreams.detach("camera-stranger")
    assert bench.items == []
