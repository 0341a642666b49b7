from __future__ import annotations

from engine.contracts.camera import Camera
from engine.pipeline.control import RunControl


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
