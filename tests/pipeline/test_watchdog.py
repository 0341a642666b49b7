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

    def goes_on(self, dog: Watchdog, seconds: int) -> list[str]:
        """Let time pass, in which the supervisor looks after its workers every second; return the names of those that hang."""
        found = []
        for _ in range(seconds):
            self.now += 1
            found += [name for name, _ in dog.hung()]
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("engine.runtime.awake.time", clock)
    return clock


def watchdog(**settings: object) -> Watchdog:
    camera = Camera("yard", "rtsp://u:p@host/1", "rtsp://host/1", auth_wait_seconds=10.0, **settings)
    dog = Watchdog(20.0, {"camera-yard": camera})
    for name in ("perceive", "camera-yard"):
        dog.begin(name)
    return dog


def test_a_silent_process_is_named_once(clock: Clock):
    dog = watchdog()
    assert clock.goes_on(dog, 20) == []
    dog.saw("camera-yard")
    dog.saw_event("camera-yard")
    clock.now += 1
    assert dog.hung() == [("perceive", "gave no sign of life for 20 s (supervise.hung_seconds)")]
    assert dog.hung() == []


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 20), (0.5, 30), (0.875, 90)])
def test_what_a_silent_process_waits_for_a_core_does_not_count(clock: Clock, share: float, seconds: int):
    """On a machine at a load of 16 on two cores three workers were killed that only waited for their turn."""
    waits = {1: 0.0, 2: 900.0}
    dog = Watchdog(20.0, {}, lambda name: dict(waits))
    dog.begin("enhance")
    began = clock.now
    while not clock.goes_on(dog, 1):
        waits[1] += share
    assert clock.now - began == pytest.approx(seconds, rel=0.1)


def test_a_starved_process_that_speaks_again_has_all_its_time_again(clock: Clock):
    waits = {1: 0.0}
    dog = Watchdog(20.0, {}, lambda name: dict(waits))
    dog.begin("enhance")
    for _ in range(30):
        waits[1] += 0.9
        assert clock.goes_on(dog, 1) == []
    dog.saw("enhance")
    assert clock.goes_on(dog, 20) == []
    assert clock.goes_on(dog, 1) == ["enhance"]


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
    assert clock.goes_on(dog, 119) == []
    assert clock.goes_on(dog, 2) == ["perceive"]


@pytest.mark.parametrize("stopped_seconds", [21, 3600])
def test_nobody_hangs_because_all_were_stopped(clock: Clock, stopped_seconds: int):
    """Ctrl-Z, a paused container, a suspended machine: all workers were killed when it was over."""
    dog = watchdog()
    assert clock.goes_on(dog, 5) == []
    clock.now += stopped_seconds
    assert clock.goes_on(dog, 12) == []
    dog.saw("perceive")
    assert set(clock.goes_on(dog, 10)) == {"camera-yard"}
