"""Silence of a process, and silence of a camera behind a process that still beats."""

from __future__ import annotations

import pytest

from engine.contracts.camera import Camera
from engine.pipeline.watchdog import Watchdog


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("engine.pipeline.watchdog.time", clock)
    return clock


def watchdog(**settings: object) -> Watchdog:
    camera = Camera("yard", "rtsp://u:p@host/1", "rtsp://host/1", auth_wait_seconds=10.0, **settings)
    dog = Watchdog(20.0, {"camera-yard": camera})
    for name in ("perceive", "camera-yard"):
        dog.begin(name)
    return dog


def test_a_silent_process_is_named_once(clock: Clock):
    dog = watchdog()
    clock.now += 15
    dog.saw("camera-yard")
    dog.saw_event("camera-yard")
    assert dog.hung() == []
    clock.now += 6
    assert dog.hung() == [("perceive", "gave no sign of life for 20 s")]
    assert dog.hung() == []


def test_a_process_that_beats_while_its_camera_is_silent(clock: Clock):
    dog = watchdog()
    for _ in range(22):
        clock.now += 1
        dog.saw("camera-yard")
        dog.saw("perceive")
        dog.saw_packets("camera-yard", {"packets": 7})
    ((name, reason),) = dog.hung()
    assert name == "camera-yard"
    assert "rtsp://host/1" in reason
    assert "u:p" not in reason


def test_attempts_to_reconnect_are_news(clock: Clock):
    dog = watchdog()
    for _ in range(100):
        clock.now += 1
        dog.saw("camera-yard")
        dog.saw("perceive")
        if clock.now % 10 == 0:
            dog.saw_event("camera-yard")
        assert dog.hung() == []


def test_an_event_camera_may_be_silent(clock: Clock):
    dog = watchdog(silent_by_design=True)
    for _ in range(600):
        clock.now += 1
        dog.saw("camera-yard")
        dog.saw("perceive")
        assert dog.hung() == []


def test_a_worker_that_loads_its_models_is_given_time(clock: Clock):
    dog = watchdog()
    dog.begin("perceive", 120.0)
    dog.forget("camera-yard")
    clock.now += 119
    assert dog.hung() == []
    clock.now += 2
    assert [name for name, _ in dog.hung()] == ["perceive"]
