"""A decode process dies: what it had sent comes first, its streams are cut, and its memory is let go."""

from __future__ import annotations

import gc
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from engine.config import Config, LiveConfig
from engine.contracts.counts import Counts
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.streams import StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.frame_pool import PoolWriter, slot_bytes_for
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.protocol import Attach, Detach, Drain
from engine.runtime.worker import WorkerContext
from engine.workers.frame_line import FrameLine
from engine.workers.lanes import Lanes
from engine.workers.links import FrameReady, link_pair
from engine.workers.perceive import PerceiveWorker
from tests.processes import open_files

GREY = Planes(*(np.full((size, size), 7, np.uint8) for size in (16, 8, 8)))


class Core:
    """In the place of perception: remembers what it is given."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, int]] = []
        self.states: list[tuple[str, str, str]] = []

    together = 1

    def detect(self, pictures: list[Planes]) -> None: ...

    def is_detection_due(self, stream: str, *, marked: bool, live: bool) -> bool:
        return False

    def take(self, frame: Frame, found: object, now_seconds: float, *, live: bool) -> list[object]:
        assert frame.planes.y[0, 0] == 7, "readable until it is done with"
        self.frames.append((frame.stream, frame.time.frame_index))
        return []

    def change(self, event: StreamChanged, *, live: bool) -> list[object]:
        self.states.append((event.stream, event.state, event.reason))
        return []

    def adapt(self, now_seconds: float) -> None: ...

    def note_faces(self, count: int, close_calls: int) -> None: ...


class Bench:
    def __init__(self) -> None:
        self.supervisor, control = link_pair()
        self.writer, reader = link_pair()
        downstream, self.enhance = link_pair()
        self.core = Core()
        self.line = FrameLine(self.core, Config(), {"decode-1"}, lambda *_: None)  # type: ignore[arg-type]
        lanes = Lanes({"enhance-1": downstream}, LiveConfig(), count(1), lambda *_: None, lambda: None)
        context = WorkerContext("perceive", control)
        self.worker = PerceiveWorker(context, self.core, self.line, lanes, {"decode-1": reader})  # type: ignore[arg-type]
        for sender in self.worker.inbox.senders:
            self.worker.begin(sender)
        self.pool = PoolWriter(1, 2, slot_bytes_for(16, 16))

    def hear(self) -> None:
        """Let the worker deal with all that has come."""
        while (
            self.worker.context.control.has_message()
            or any(sender.channel.has_message() for sender in self.worker.inbox.senders)
            or len(self.worker._line)
        ):
            self.worker.turn(0.0)

    def frame(self, stream: str, index: int) -> FrameReady:
        slot = self.pool.acquire()
        assert slot is not None
        return FrameReady(stream, FrameTime(index, index, (1, 25), index / 25, 0), self.pool.write(slot, GREY), True)

    def attach(self, name: str = "decode-1") -> Channel:
        """Let a successor, or somebody new, be heard."""
        writer, reader = link_pair()
        self.supervisor.send_channel(Attach("upstream", name), reader)
        return writer

    def close(self) -> None:
        self.pool.close()
        self.line.close()
        for channel in (self.supervisor, self.writer, self.enhance):
            channel.close()


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.close()


def maps() -> int:
    return Path("/proc/self/maps").read_text().count("facestream-frames")


def test_a_successor_says_what_became_of_the_stream(bench: Bench):
    before = maps()
    bench.writer.send(bench.pool.opened())
    bench.writer.send(StreamChanged("done", "ended", "end_of_file"))
    bench.writer.send(StreamChanged("bad", "live"))
    bench.writer.send(bench.frame("bad", 0))
    bench.hear()
    assert maps() == before + 1
    bench.writer.send(bench.frame("bad", 1))
    bench.writer.close()
    successor = bench.attach()  # before the death is noticed
    successor.send(StreamChanged("bad", "failed", "worker_died", "bad.mp4: killed"))
    bench.hear()
    assert bench.core.frames == [("bad", 0), ("bad", 1)]
    cut = ("bad", "discontinuity", "worker_died")
    assert bench.core.states == [("done", "ended", "end_of_file"), ("bad", "live", ""), cut, ("bad", "failed", "worker_died")]
    assert maps() == before, "only the writer's own"
    assert not bench.worker.is_done
    successor.send(Drain())
    bench.hear()
    assert bench.worker.is_done
    assert bench.worker.worst == Drain()
    successor.close()


@pytest.mark.parametrize("noticed", [True, False])
def test_when_the_run_ends_no_successor_is_waited_for(bench: Bench, noticed: bool):
    bench.writer.send(StreamChanged("bad", "live"))
    bench.hear()
    bench.writer.close()
    if noticed:
        bench.hear()
        assert bench.core.states[-1] == ("bad", "discontinuity", "worker_died")
    bench.supervisor.send(Drain())
    bench.hear()
    assert bench.core.states[-1] == ("bad", "failed", "worker_died")
    assert bench.worker.is_done
    assert bench.worker.worst.outcome == "failed"


def test_a_pool_that_cannot_be_seen_any_more_is_a_death(bench: Bench):
    bench.writer.send(StreamChanged("bad", "live"))
    bench.writer.send(PoolOpened(1, 1 << 30, 99, 2, slot_bytes_for(16, 16)))
    bench.writer.send(Drain())
    bench.hear()
    assert bench.core.states == [("bad", "live", ""), ("bad", "discontinuity", "worker_died")]
    assert not bench.worker.is_done, "a successor will come"


@pytest.mark.parametrize("says_so", [True, False])
def test_a_camera_that_comes_and_goes_leaves_nothing(bench: Bench, says_so: bool):
    gc.collect()  # what other tests left
    files, before = open_files(), maps()
    for number in range(20):
        writer = bench.attach("camera-guest")
        bench.hear()
        with PoolWriter(1, 2, slot_bytes_for(16, 16)) as pool:
            writer.send(pool.opened())
            writer.send(StreamChanged("guest", "live"))
            slot = pool.acquire()
            assert slot is not None
            writer.send(FrameReady("guest", FrameTime(number, 0, (1, 25), 0.0, 0), pool.write(slot, GREY), True))
            if number % 2:
                bench.hear()
            if says_so:
                writer.send(StreamChanged("guest", "ended", "drained"))
                writer.send(Drain("completed", "the camera was removed", Counts({"frames": 1})))
            writer.close()
            bench.supervisor.send(Detach("upstream", "camera-guest"))
            bench.hear()
        last = ("guest", "ended", "drained") if says_so else ("guest", "failed", "worker_died")
        assert bench.core.states[-1] == last
    assert bench.core.frames == [("guest", number) for number in range(20)]
    assert (open_files() - files, maps()) == ({}, before)
    assert not bench.worker.is_done, "the other one is still there"
    assert (bench.worker.worst, dict(bench.worker.heard.run)) == (Drain(), {"frames": 20} if says_so else {})


def test_nothing_happens_when_somebody_leaves_who_was_never_there(bench: Bench):
    bench.supervisor.send(Detach("upstream", "camera-stranger"))
    bench.hear()
    assert bench.core.states == []
    assert not bench.worker.is_done
