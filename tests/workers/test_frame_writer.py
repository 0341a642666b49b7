"""Slots over a restart of the reader, and over a change of the picture's size."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.streams import StreamChanged
from engine.runtime.channel import ChannelClosed
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.frame_sources import FrameSource
from engine.workers.frame_writer import FrameWriter
from engine.workers.links import FrameReady, MainReady, link_pair

SLOTS = 3


def frame(index: int, width: int = 64, height: int = 48) -> Frame:
    rng = np.random.default_rng(index)
    chroma = rng.integers(0, 256, (2, height // 2, width // 2), np.uint8)
    planes = Planes(rng.integers(0, 256, (height, width), np.uint8), chroma[0], chroma[1])
    return Frame("cam", FrameTime(index, index, (1, 25), index / 25, 1_000 + index, 77), planes)


class Bench:
    def __init__(self) -> None:
        self.control, supervisor = link_pair()
        self.supervisor = supervisor
        ours, theirs = link_pair()
        self.reader = FrameSource(Sender("camera", theirs), live=True)
        self.context = WorkerContext("camera", self.control)
        self.writer = FrameWriter(self.context, ours, SLOTS, live=True)

    def offer(self, *frames: Frame) -> str:
        """Offer frames; return the causes of those that were dropped."""
        before = self.context.telemetry.counts.now().drops
        for one in frames:
            self.writer.offer(one)
        now = self.context.telemetry.counts.now().drops
        new = {cause: count - before.get(cause, 0) for cause, count in now.items()}
        return " ".join(f"{cause} {count}" for cause, count in new.items() if count)

    def successor(self) -> None:
        self.reader.close()
        ours, theirs = link_pair()
        self.reader = FrameSource(Sender("camera", theirs), live=True)
        self.writer.attach(ours)

    def read(self) -> list[FrameReady]:
        frames = []
        while self.reader.sender.channel.has_message():
            link = self.reader.sender.channel.receive()
            if isinstance(link, PoolOpened):
                self.reader.open_pool(link)
            elif isinstance(link, FrameReady):
                pool = self.reader.pool_of(link.picture)
                sent = frame(link.time.frame_index, link.picture.width_px, link.picture.height_px).planes
                assert np.array_equal(pool.view(link.picture).y, sent.y)
                assert np.array_equal(pool.view(link.picture).v, sent.v)
                assert pool.is_intact(link.picture)
                frames.append(link)
        return frames

    def read_mains(self) -> list[MainReady]:
        links = []
        while self.reader.sender.channel.has_message():
            link = self.reader.sender.channel.receive()
            if isinstance(link, PoolOpened):
                self.reader.open_pool(link)
            else:
                assert isinstance(link, MainReady)
                links.append(link)
                self.reader.take_main(link)
        return links


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.writer.close(wait=False)
    made.reader.close()
    made.control.close()
    made.supervisor.close()


def test_a_full_pool_refuses_and_never_waits(bench: Bench):
    assert bench.offer(*map(frame, range(5))) == "no_slot 2"
    first, *_ = bench.read()
    assert (first.live, first.time.ntp_ns, first.time.captured_ns) == (True, 77, 1_000)
    bench.reader.release(first)
    assert bench.offer(frame(5)) == ""
    assert bench.offer(frame(6)) == "no_slot 1"


def test_slots_that_a_dead_reader_held_are_reclaimed(bench: Bench):
    bench.offer(*map(frame, range(SLOTS)))
    bench.read()
    bench.reader.close()
    assert bench.offer(frame(3)) == f"worker_died {SLOTS + 1}", "those that it had in hand, and the new one"
    assert bench.writer.channel is None
    bench.successor()
    assert bench.offer(*map(frame, range(4, 8))) == "no_slot 1"
    assert [link.time.frame_index for link in bench.read()] == [4, 5, 6]


def test_a_recording_ends_with_its_reader(bench: Bench):
    ours, theirs = link_pair()
    writer = FrameWriter(bench.context, ours, SLOTS, live=False)
    writer.write(frame(0))
    theirs.close()
    with pytest.raises(ChannelClosed):
        writer.write(frame(0))
    with pytest.raises(ChannelClosed):
        writer.require(StreamChanged("cam", "ended"))
    assert "worker_died" not in bench.context.telemetry.counts.drops, "it is read again, or has failed"
    writer.close()


def test_a_last_word_that_closes_the_pipe_has_arrived(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Whoever reads it may close its end before the writer looks again: a good end was taken for a death now and then."""
    ours, theirs = link_pair()
    writer = FrameWriter(bench.context, ours, SLOTS, live=False)
    send = ours.send

    def send_and_be_closed(*arguments: object) -> None:
        send(*arguments)  # type: ignore[arg-type]
        assert theirs.receive() == Drain()
        theirs.close()

    monkeypatch.setattr(ours, "send", send_and_be_closed)
    writer.say_last(Drain())
    writer.close()


def test_a_larger_picture_waits_for_the_old_pool_to_be_read(bench: Bench):
    assert bench.offer(frame(0)) == ""
    assert bench.offer(frame(1, 640, 480)) == "no_slot 1", "the small picture has not been read yet"
    bench.reader.release(bench.read()[0])
    assert bench.offer(frame(2, 640, 480)) == ""
    (large,) = bench.read()
    assert (large.picture.width_px, large.picture.pool_id) == (640, 2)
    bench.reader.release(large)
    assert bench.offer(frame(3)) == ""
    assert [link.picture.width_px for link in bench.read()] == [64]


def test_the_picture_of_a_main_stream_comes_beside_its_frame(bench: Bench):
    assert bench.writer.offer(frame(0), "follows")
    (link,) = bench.read()
    bench.reader.note(link)
    assert bench.reader.awaits_main(link)
    large = frame(0, 640, 480).planes
    assert bench.writer.offer_main("cam", 0, large)
    bench.read_mains()
    assert not bench.reader.awaits_main(link)
    main = bench.reader.main_of(link)
    assert main is not None
    assert np.array_equal(bench.reader.pool_of(main).view(main).y, large.y)
    bench.reader.release(link)
    bench.writer.hear()
    assert not bench.writer._in_hand, "both slots are free"


def test_a_main_picture_that_nobody_needs_any_more_is_released_at_once(bench: Bench):
    bench.writer.offer(frame(0), "follows")
    (link,) = bench.read()
    bench.reader.note(link)
    bench.reader.release(link)
    bench.writer.offer_main("cam", 0, frame(0, 640, 480).planes)
    bench.read_mains()
    bench.writer.hear()
    assert not bench.writer._in_hand


def test_there_are_few_main_pictures_and_the_word_that_there_is_none(bench: Bench):
    sent = [bench.writer.offer_main("cam", index, frame(0, 640, 480).planes) for index in range(6)]
    assert sent == [True] * 4 + [False] * 2
    assert bench.writer.offer_main("cam", 6, None)
    assert [link.picture is None for link in bench.read_mains()] == [False] * 4 + [True] * 3


def test_a_dead_reader_gives_main_pictures_back_too_and_they_are_no_drops(bench: Bench):
    bench.writer.offer_main("cam", 0, frame(0, 640, 480).planes)
    bench.reader.close()
    bench.writer.hear()
    assert not bench.writer._in_hand
    assert bench.writer.offer_main("cam", 1, frame(0, 640, 480).planes), "there is nobody to miss it"
    assert not bench.context.telemetry.counts.drops


def test_perceive_says_once_that_main_pictures_are_wanted_and_once_that_they_are_not(bench: Bench):
    for seconds, faces in [(0.0, False), (1.0, True), (1.1, True), (2.9, False), (3.2, False), (3.3, False)]:
        bench.reader.want_mains("cam", faces, seconds)
        bench.writer.hear()
        assert bench.writer.main_wanted == (1.0 <= seconds < 3.1)
    bench.successor()
    assert not bench.writer.main_wanted, "whoever comes must ask anew"
