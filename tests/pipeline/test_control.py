from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.contracts.camera import Camera
from engine.contracts.orders import Settled
from engine.errors import ConfigError
from engine.pipeline.camera_changes import CameraChanges
from engine.pipeline.control import CHANGED, PAUSED, REMOVED, RunControl
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.pipeline.watchdog import Watchdog


def camera(name: str, fps: float = 10.0) -> Camera:
    return Camera(name, f"rtsp://host/{name}", "", detect_fps=fps)


def test_what_is_asked_for_is_done_in_order_and_once():
    control, start = RunControl(), {"a": camera("a")}
    assert control.changed(start) == start
    control.add(camera("b"))
    control.remove("a")
    control.remove("nobody")
    control.add(camera("b", 5.0))
    now = control.changed(start)
    assert now == {"b": camera("b", 5.0)}
    assert control.changed(now) == now
    assert start == {"a": camera("a")}, "what was given is not changed"


def test_a_name_that_cannot_be_that_of_a_stream_is_refused():
    with pytest.raises(ConfigError, match="not usable in a topic"):
        RunControl().add(camera("../door"))


def test_a_camera_does_not_take_the_name_of_a_recording():
    status, control = RunStatus({"clip": StreamStatus("clip"), "door": StreamStatus("door")}), RunControl()
    asked: list[list[str]] = []
    crew = SimpleNamespace(
        cameras={"camera-door": camera("door")},
        change_cameras=lambda cameras, refuse, why: asked.append([one.name for one in cameras]),
        has_all=lambda cameras: True,
    )
    changes = CameraChanges(crew, SimpleNamespace(begin=lambda *_: None), status, control)  # type: ignore[arg-type]
    for name in ("clip", "yard", "clip"):
        control.add(camera(name))
    changes.settle()
    assert asked == [["door", "yard"]]
    assert [event.fields for event in status.events] == [
        {"stream": "clip", "detail": "a recording of this run has this name: give the camera another one"}
    ]


def test_the_end_of_a_stream_says_what_happened_to_its_camera():
    control = RunControl()
    control.remove("removed")
    control.remove("paused", PAUSED)
    control.remove("back", PAUSED)
    control.add(camera("back", 5.0))
    control.add(camera("changed"))
    control.changed({})
    assert [control.why_ended(name) for name in ("removed", "paused", "back", "changed")] == [REMOVED, PAUSED, CHANGED, CHANGED]
    assert control.gone == {"removed", "paused"}


def test_streams_that_are_gone_are_not_counted_any_more():
    status, control = RunStatus({"clip": StreamStatus("clip"), "door": StreamStatus("door")}), RunControl()
    ends: list[str] = []
    crew = SimpleNamespace(
        cameras={"camera-door": camera("door")},
        change_cameras=lambda cameras, refuse, why: ends.append(why("door")),
        has_all=lambda cameras: True,
    )
    changes = CameraChanges(crew, SimpleNamespace(begin=lambda *_: None), status, control)  # type: ignore[arg-type]
    for name in ("door", "clip"):
        control.remove(name, PAUSED)
    changes.settle()
    assert ends == [PAUSED]
    assert list(status.wanted) == ["clip"], "a recording cannot be removed"
    control.add(camera("door"))
    changes.settle()
    assert list(status.wanted) == ["clip", "door"]


class _Crew:
    """One worker, which is becoming ready while it is told to go."""

    def __init__(self) -> None:
        self.cameras, self.gone = {"camera-door": camera("door")}, list[object]()

    def change_cameras(self, cameras: list[Camera], refuse: object, why: object) -> None:
        self.cameras = {f"camera-{one.name}": one for one in cameras}

    def has_all(self, cameras: list[Camera]) -> bool:
        return True

    def forget_those_who_left(self) -> list[object]:
        self.gone, gone = [], self.gone
        return gone


def test_a_camera_that_becomes_ready_after_it_was_removed_is_forgotten_by_all():
    """It was watched again from then on, and ended the run when it had been silent, and gone, for long enough."""
    status, control, crew = RunStatus({"door": StreamStatus("door")}), RunControl(), _Crew()
    watchdog = Watchdog(0.0, crew.cameras)
    changes = CameraChanges(crew, watchdog, status, control)  # type: ignore[arg-type]
    control.remove("door")
    changes.settle()
    watchdog.begin("camera-door")
    status.worker_started("camera-door", 7)
    status.worker_restarted("camera-door")
    nothing = SimpleNamespace(read=lambda: (), close=lambda: None)
    crew.gone = [SimpleNamespace(name="camera-door", text=nothing, close=nothing.close, process=nothing)]
    assert changes.clear() == ["camera-door"]
    assert (watchdog.hung(), status.workers, status.restarts) == ([], {}, 1)


def test_a_camera_may_be_read_until_the_run_has_none_of_its_name() -> None:
    control = RunControl()
    assert control.may_read("a"), "nobody knows yet"
    control.followed({"a"})
    assert control.may_read("a")
    assert not control.may_read("b")
    control.add(camera("b"))
    assert control.may_read("b"), "it was asked for"
    control.followed({"a"})
    assert control.may_read("b"), "and not taken yet"
    control.changed({})
    control.followed({"a"})
    assert not control.may_read("b"), "it was taken, and could not be started"


def test_whoever_waits_for_a_camera_to_be_gone_is_told_and_nobody_else() -> None:
    control, told = RunControl(), list[bool]()
    control.on_gone = lambda: told.append(control.may_read("a"))
    control.followed({"a", "b"})
    control.followed({"a", "b"})
    assert told == [True], "until then nobody knew what there is"
    control.remove("a")
    control.changed({})
    control.followed({"a", "b"})
    assert told.pop(), "its last word is on its way"
    control.followed({"b"})
    assert not told.pop()


def test_a_camera_is_gone_when_publish_has_passed_its_last_word() -> None:
    """Its process, which hangs up, is there yet; of one that comes to nothing after it was added, nothing is waited for."""
    status, control, crew = RunStatus({"door": StreamStatus("door")}), RunControl(), _Crew()
    changes = CameraChanges(crew, Watchdog(0.0, crew.cameras), status, control)  # type: ignore[arg-type]
    changes.settle()
    control.remove("door")
    changes.settle()
    changes.note(Settled("door", 5))
    changes.settle()
    assert control.may_read("door")
    changes.note(Settled("door"))
    changes.settle()
    assert not control.may_read("door")
    assert changes.clear() == []
    control.add(camera("door", 5.0))
    changes.settle()
    assert control.may_read("door")
    control.remove("door")
    changes.settle()
    changes.note(Settled("door"))
    changes.settle()
    assert not control.may_read("door")
