"""What is said of a camera whose main stream goes and comes back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.orders import Warned
from engine.contracts.streams import StreamChanged
from engine.decode.counted import of_camera
from engine.runtime.telemetry import Telemetry
from engine.workers import camera_main as module
from engine.workers.camera_main import AWAY, CameraMain

LIVE = StreamChanged("door", "live", width_px=640, height_px=360)
REFUSED = StreamChanged("door", "connecting", "unreachable", "connection refused")


class Main:
    """A main stream that is in the state it is told to be in."""

    def __init__(self, *_: object) -> None:
        self.state: StreamChanged | None = None
        self.counted = of_camera()
        self.anew = 0

    @property
    def is_live(self) -> bool:
        return self.state is not None and self.state.state == "live"

    def take(self) -> list[object]:
        return []

    def begin_anew(self) -> None:
        self.anew += 1


class Door:
    """A camera with two streams, of which the smaller one is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.sent = 0.0, list[object]()
        monkeypatch.setattr(module, "MainStream", Main)
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        context = SimpleNamespace(telemetry=Telemetry("camera-door"), control=SimpleNamespace(send=self.sent.append))
        camera = Camera(
            name="door", url="rtsp://192.0.2.1/sub", shown="door", crop_url="rtsp://192.0.2.1/main", stable_seconds=30.0
        )
        self.way = CameraMain(context, camera, DecodeConfig(), SimpleNamespace(), lambda: None)  # type: ignore[arg-type]
        self.way.note(LIVE)

    def main_is(self, state: StreamChanged, seconds: float = 1.0) -> list[object]:
        """Return what is sent."""
        self.way._stream.state = state
        self.way.pass_on()
        self.now += seconds
        self.way.pass_on()
        sent, self.sent[:] = list(self.sent), []
        return sent


def test_away_and_back_are_said_once_and_the_state_says_it_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    assert door.main_is(LIVE) == []
    warned, state = door.main_is(REFUSED)
    assert warned == Warned(
        "door", "its main stream is away, faces are cut from its sub-stream until it is back: connection refused"
    )
    assert state == StreamChanged("door", "live", "", AWAY, width_px=640, height_px=360)
    assert door.main_is(StreamChanged("door", "connecting")) == [], "one more attempt is no news"
    assert door.main_is(LIVE, 1.0) == [LIVE], "the state is true at once"
    (away_again,) = door.main_is(REFUSED)
    assert away_again == state, "a stream that comes and goes is not told of again and again"
    assert door.main_is(LIVE, 31.0) == [LIVE, Warned("door", "its main stream is back: faces are cut from it again")]
    assert door.main_is(LIVE, 31.0) == []


def test_a_state_of_the_sub_stream_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch)
    door.main_is(REFUSED)
    door.way.note(StreamChanged("door", "connecting", "unreachable", "gone"))
    assert door.main_is(REFUSED) == [], "its own state is the worse one"
    door.way.note(LIVE)
    (state,) = door.main_is(REFUSED)
    assert isinstance(state, StreamChanged)
    assert state.detail == AWAY
