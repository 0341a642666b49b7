"""Frames of several streams that gather while the detector is busy are given to it together."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from engine.config import Config, DetectConfig, LiveConfig
from engine.contracts.frames import Detections, FrameTime, Planes
from engine.perception.detecting import Found
from engine.runtime.channel import wait_for_any
from engine.runtime.frame_slots import SlotPicture
from engine.workers.frame_line import FrameLine
from engine.workers.links import FrameReady
from tests.patience import PATIENCE_SECONDS

CONFIG = Config(detect=DetectConfig(workers=1))
PLANES = Planes(*(np.zeros((size, size), np.uint8) for size in (16, 8, 8)))


class Core:
    """In the place of perception: notes how many frames each call had."""

    def __init__(self, together: int) -> None:
        self.together = together
        self.calls: list[int] = []
        self.begun, self.gate = threading.Event(), threading.Event()

    def detect(self, pictures: Sequence[Planes]) -> list[Found]:
        self.calls.append(len(pictures))
        self.begun.set()
        assert self.gate.wait(PATIENCE_SECONDS)
        return [Found(Detections.empty(), 0.0) for _ in pictures]

    def is_detection_due(self, stream: str, *, marked: bool, live: bool) -> bool:
        return True

    def take(self, frame: object, found: Found, now_seconds: float, *, live: bool) -> list[object]:
        return [(frame.stream, frame.time.frame_index)]  # type: ignore[attr-defined]

    def take_refusal(self, stream: str) -> str:
        return ""


def frame(stream: str, index: int, captured_ns: int = 0, arrived_seconds: float | None = None) -> FrameReady:
    picture, live = SlotPicture(1, 0, 2, 16, 16, "bt601", False), arrived_seconds is not None
    when = FrameTime(index, index, (1, 25), index / 25, captured_ns, arrived_seconds=arrived_seconds or 0.0)
    return FrameReady(stream, when, picture, True, live)


@pytest.mark.parametrize(("together", "calls"), [(4, [1, 4, 2]), (1, [1] * 7)])
def test_what_gathers_while_it_is_busy_is_looked_at_together(together: int, calls: list[int]):
    core = Core(together)
    pool = SimpleNamespace(view=lambda picture: PLANES, is_intact=lambda picture: True)
    source = SimpleNamespace(
        pool_of=lambda link: pool, release=lambda link: None, main_of=lambda link: None, live=False, waiting=0, is_over=False
    )
    line = FrameLine(core, CONFIG, set(), lambda stream, cause: None)  # type: ignore[arg-type]
    given: list[object] = []
    line._put(source, frame("a", 0))  # type: ignore[arg-type]
    given += line.flow()
    assert core.begun.wait(PATIENCE_SECONDS)
    for number in range(1, 7):
        line._put(source, frame("ab"[number % 2], number))  # type: ignore[arg-type]
    given += line.flow()
    core.gate.set()
    while source.waiting > -7:
        wait_for_any([line.pool], 20)
        given += line.flow()
    line.close()
    assert core.calls == calls
    assert [index for stream, index in given if stream == "a"] == [0, 2, 4, 6]  # type: ignore[misc]
    assert [index for stream, index in given if stream == "b"] == [1, 3, 5]  # type: ignore[misc]


HOUR = 3600


@pytest.mark.parametrize("set_by", [-HOUR, HOUR])
def test_how_long_a_frame_has_waited_is_not_asked_of_a_clock_that_is_set(set_by: int):
    """A jump of the wall clock used to drop all that waited, or to keep what was stale."""
    core, config = Core(1), Config(detect=CONFIG.detect, live=LiveConfig(budget_ms=500))
    core.gate.set()
    pool = SimpleNamespace(view=lambda picture: PLANES)
    source = SimpleNamespace(pool_of=lambda link: pool, live=True, waiting=0, is_over=False, close=lambda: None)
    dropped: list[str] = []
    line = FrameLine(core, config, set(), lambda stream, cause: dropped.append(f"{stream} {cause}"))  # type: ignore[arg-type]
    source.release = core.miss = lambda *_, **__: None  # type: ignore[attr-defined]
    wall_ns, now = time.time_ns() - set_by * 10**9, time.monotonic()
    line._put(source, frame("stale", 0, wall_ns, now - 1.0))  # type: ignore[arg-type]
    line._put(source, frame("fresh", 0, wall_ns, now))  # type: ignore[arg-type]
    assert line._start_next()
    line.close()
    assert (dropped, core.calls) == (["stale stale"], [1])


@pytest.mark.parametrize(
    ("waits_seconds", "behind", "due", "told"),
    [(0.0, 0, True, 0), (50.0, 0, True, 1), (0.0, 1, True, 1), (50.0, 1, False, 0)],
)
def test_a_frame_that_would_soon_have_been_dropped_is_told(waits_seconds: float, behind: int, due: bool, told: int):
    """One on which the detector does not run says nothing of the detector."""
    core, config = Core(1), Config(detect=CONFIG.detect, live=LiveConfig(budget_ms=60_000, waiting_frames=2))
    core.gate.set()
    close: list[int] = []
    core.note_close_frame = lambda: close.append(1)  # type: ignore[attr-defined]
    core.is_detection_due = lambda stream, **_: due  # type: ignore[method-assign]
    pool = SimpleNamespace(view=lambda picture: PLANES)
    source = SimpleNamespace(pool_of=lambda link: pool, live=True, waiting=0, is_over=False, close=lambda: None)
    line = FrameLine(core, config, set(), lambda stream, cause: None)  # type: ignore[arg-type]
    since = time.monotonic() - waits_seconds
    for number in range(1 + behind):
        line._put(source, frame("a", number, 0, since))  # type: ignore[arg-type]
    assert line._start_next()
    line.close()
    assert len(close) == told
