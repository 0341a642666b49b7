"""Running a LiveDecoder in a test, with a deadline instead of a sleep."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode import packet_queue
from engine.decode.live import LiveDecoder
from engine.source.cameras import renewed
from tests.patience import PATIENCE_SECONDS

LONGEST_PAUSE_SECONDS = 0.5
"""A caller must hear of a decoder at least so often, with nothing beside."""


TRANSPORTS = ["tcp", "udp"]
IMPATIENT = {"stalled_after_seconds": 0.4, "stall_seconds": 1.2}
"""For a test of silence: it says so soon. A busy machine may make a server silent for so long, too."""


def camera(url: str, **settings: object) -> Camera:
    """Return a camera that is connected again soon, and that no busy machine makes seem silent."""
    shown = url if "@" not in url else f"{url.partition('://')[0]}://{url.rpartition('@')[2]}"
    quick: dict[str, object] = {
        "connect_seconds": 10.0,
        "stalled_after_seconds": 5.0,
        "stall_seconds": 15.0,
        "reconnect_first_seconds": 0.05,
        "reconnect_cap_seconds": 0.1,
        "hwaccel": "none",
    }
    return Camera("cam", url, shown, **(quick | settings))  # type: ignore[arg-type]


class Watch:
    """What a decoder gave, up to a condition."""

    def __init__(self, source: Camera) -> None:
        self.decoder = LiveDecoder(source, DecodeConfig(), renewed=renewed)
        self.frames: list[Frame] = []
        self.states: list[StreamChanged] = []
        self.order: list[str] = []
        """``frame`` or the name of a state; runs of frames as one."""

    def until(self, condition: Callable[[Watch], bool], seconds: float = PATIENCE_SECONDS) -> Watch:
        """Iterate until the condition holds.

        Raises:
            TimeoutError: it did not within ``seconds``.
        """
        start = last = time.monotonic()
        for item in self.decoder:
            now = time.monotonic()
            assert now - last < LONGEST_PAUSE_SECONDS, "the caller must be able to show that it lives"
            if isinstance(item, StreamChanged):
                self.states.append(item)
                self.order.append(item.state)
            elif item is not None:
                self.frames.append(item)
                if self.order[-1:] != ["frame"]:
                    self.order.append("frame")
            if condition(self):
                return self
            if now - start > seconds:
                raise TimeoutError(f"after {seconds:g} s: {self.order[-20:]}, {[s.detail for s in self.states[-3:]]}")
            last = time.monotonic()
        return self

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.states)


@contextmanager
def watching(url: str, *, leaves_out_late: bool = False, **settings: object) -> Iterator[Watch]:
    """Give a watch on a camera; its decoder is closed afterwards.

    Without ``leaves_out_late`` every packet is decoded, however late a busy machine comes to it.
    """
    watch = Watch(camera(url, **settings))
    gc.freeze()  # the process of a camera is small: what all tests hold is not looked through at each lost connection
    with pytest.MonkeyPatch.context() as patch, closing(watch.decoder):
        if not leaves_out_late:
            patch.setattr(packet_queue, "LATE_SECONDS", 60.0)
            patch.setattr(packet_queue, "TOO_LATE_SECONDS", 60.0)
        yield watch
    gc.unfreeze()
