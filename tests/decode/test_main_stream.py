"""The main stream of a camera beside its sub-stream: pictures of the same moment, and what happens where there are none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode import packet_queue
from engine.decode.live import LiveDecoder
from engine.decode.main_stream import Answer, MainStream
from engine.errors import WorkerError
from tests.decode.watching import camera
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import Clip, frame_number, numbered_clip
from tests.rtsp.faults import Reset, Stall
from tests.rtsp.fixtures import scripted
from tests.rtsp.script import Behaviour

__all__ = ["scripted"]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return numbered_clip(tmp_path_factory.mktemp("main") / "large.h264", size_px=(640, 480))


class Pair:
    """Both streams, read as a camera's process reads them."""

    def __init__(self, sub: str, main: str, **settings: object) -> None:
        self.decoder = LiveDecoder(camera(sub), DecodeConfig())
        self.main = MainStream(camera(main, **{"crop_wait_ms": 1500.0} | settings), DecodeConfig(), self.decoder.wake)
        self.main.is_wanted = True
        self.answers: list[Answer] = []
        self.subs: dict[int, Frame] = {}

    def until(self, condition: Callable[[], bool], *, asks: bool = True, seconds: float = PATIENCE_SECONDS) -> None:
        """Read on until a condition holds, asking for each frame that is to be looked at.

        Raises:
            TimeoutError: it did not.
        """
        deadline = time.monotonic() + seconds
        for item in self.decoder:
            if isinstance(item, Frame):
                self.main.note(item)
                if asks and item.detect and self.main.is_live:
                    self.subs[item.time.frame_index] = item
                    self.main.expect(item)
            self.answers += self.main.take()
            if condition():
                return
            if time.monotonic() > deadline:
                raise TimeoutError([(answer.miss, answer.frame_index) for answer in self.answers[-5:]])

    def count(self, miss: str | None) -> int:
        return sum(answer.miss == miss for answer in self.answers)

    def errors(self, frames: int) -> list[int]:
        """Return the numbers of the main stream's pictures less those of their frames, in clips of so many."""
        pairs = [(self.subs[one.frame_index].planes.y, one.planes.y) for one in self.answers if one.planes is not None]
        half = frames // 2
        return [(frame_number(main) - frame_number(sub) + half) % frames - half for sub, main in pairs]


@contextmanager
def reading(sub: str, main: str, **settings: object) -> Iterator[Pair]:
    pair = Pair(sub, main, **settings)
    with pytest.MonkeyPatch.context() as patch, closing(pair.decoder), closing(pair.main):
        patch.setattr(packet_queue, "LATE_SECONDS", 60.0)
        patch.setattr(packet_queue, "TOO_LATE_SECONDS", 60.0)
        pair.main.start()
        yield pair


def test_by_the_cameras_clock_both_show_the_same_moment(scripted, clip, large):
    """Both begin with their first picture when they are asked: their numbers are apart by the same ever after."""
    behaviour = Behaviour(report_every_seconds=0.2)
    with reading(scripted(clip, behaviour).url(), scripted(large, behaviour).url()) as pair:
        pair.until(lambda: pair.main.by_ntp, asks=False)
        pair.until(lambda: pair.count(None) >= 8)
        apart = np.array(pair.errors(50))
        assert max(abs((apart - apart[0] + 25) % 50 - 25)) <= 1
        answer = next(one for one in pair.answers if one.planes is not None)
        assert (answer.planes.width_px, answer.planes.height_px) == (640, 480)


def test_nothing_is_decoded_while_nobody_asks_and_then_from_the_last_key_frame_on(scripted, clip, large):
    with reading(scripted(clip).url(), scripted(large).url()) as pair:
        pair.until(lambda: pair.main.counted.counts["packets"] > 30, asks=False)
        assert pair.main.counted.decode_ns == 0
        pair.until(lambda: pair.count(None) >= 1)
        assert pair.main.counted.decode_ns > 0


def test_a_picture_that_does_not_come_is_waited_for_no_longer_than_said(scripted, clip, large):
    silent = scripted(large, Behaviour(faults=(Stall(30),)))
    with reading(scripted(clip).url(), silent.url(), crop_wait_ms=150.0) as pair:
        pair.until(lambda: pair.count("late") >= 3)
        frames = [pair.subs[one.frame_index] for one in pair.answers if one.miss == "late"]
        assert all(np.diff([frame.time.frame_index for frame in frames]) > 0), "in their order"
        assert time.monotonic() - frames[-1].time.arrived_seconds < 5.0


def test_one_that_is_lost_comes_back_and_the_other_does_not_notice(scripted, clip, large):
    server = scripted(large, [Behaviour(faults=(Reset(20),)), Behaviour()])
    with reading(scripted(clip).url(), server.url()) as pair:
        pair.until(lambda: pair.main.counted.counts["reconnects"] == 1)
        before = pair.count(None)
        pair.until(lambda: pair.count(None) > before)
        assert pair.decoder.counters["reconnects"] == 0
        indices = [one.frame_index for one in pair.answers]
        assert indices == sorted(set(indices)), "one answer for each frame"


def test_one_that_is_not_there_says_why_and_costs_nothing(scripted, clip, large):
    server = scripted(large)
    server.down()
    with reading(scripted(clip).url(), server.url()) as pair:
        pair.until(lambda: pair.main.state is not None and pair.main.state.reason == "network")
        assert not pair.main.is_following
        assert "refuses the connection" in pair.main.state.detail
        server.accept()
        pair.until(lambda: pair.main.is_live)


def test_what_breaks_it_reaches_the_process(scripted, clip, large, monkeypatch):
    monkeypatch.setattr(MainStream, "_answer", lambda self, wish: 1 / 0)
    with (
        reading(scripted(clip).url(), scripted(large).url()) as pair,
        pytest.raises(WorkerError, match="the main stream of cam broke its reader: ZeroDivisionError"),
    ):
        pair.until(lambda: False)
