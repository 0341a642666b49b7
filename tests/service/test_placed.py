"""Cameras that a fleet places on a service, beside those of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.control.verbs import ChangeStream, PauseStream, RemoveStream
from engine.fleet.file import FleetCamera
from engine.pipeline.control import RunControl
from engine.pipeline.status import RunStatus
from engine.service.build import Parts
from engine.service.placed import PlacedCameras
from tests.service.parts import SOURCES, added, ask, code, service_in, states


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with service_in(tmp_path, sources=SOURCES) as made:
        yield made


@pytest.fixture
def placed(parts: Parts) -> PlacedCameras:
    return PlacedCameras(parts, parts.directory.path / "permit")


def camera(name: str = "door", uri: str = "rtsp://192.0.2.10/x", **more: Any) -> FleetCamera:
    return FleetCamera(uri=uri, name=name, **more)


def test_it_comes_and_goes_with_the_run_and_is_kept_nowhere(parts: Parts, placed: PlacedCameras) -> None:
    control = RunControl()
    parts.life.begin("run", control)
    parts.streams.readable(parts.state.desired, control, {})
    control.followed({"one", "two"})
    assert placed.start(camera(), keeps=False) == ""
    assert states(parts) == {"door": "connecting", "one": "connecting", "two": "connecting"}
    read = control.changed({})["door"]
    assert read.permit == str(parts.directory.path / "permit")
    assert placed.start(camera(detect_fps=2.0), keeps=True) == ""
    assert (control.changed({})["door"].permit, control.changed({})) == ("", {})
    control.followed({"one", "two", "door"})
    placed.stop("door")
    placed.stop("nobody")
    assert placed.may_run("door"), "its process is there yet"
    assert "door" not in control.changed({"door": read})
    control.followed({"one", "two"})
    assert not placed.may_run("door")
    assert not parts.directory.desired.exists()
    assert placed.load().running is False


def test_it_says_for_how_long_these_cameras_have_been_too_much(
    parts: Parts, placed: PlacedCameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("engine.service.placed.time.monotonic", lambda: now)

    def after(seconds: float, level: int) -> float:
        nonlocal now
        now += seconds
        parts.life.observe(RunStatus(overload_level=level))
        return placed.load().overloaded_seconds

    parts.life.begin("run", RunControl())
    assert [after(1.0, 0), after(1.0, 1), after(30.0, 2), after(30.0, 1)] == [0.0, 1.0, 31.0, 61.0]
    placed.start(camera(), keeps=False)
    assert [after(1.0, 1), after(1.0, 1), after(1.0, 0)] == [0.0, 1.0, 0.0], "they are others now"


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (camera("one"), "there is a stream one"),
        (camera(uri="rtsp://10.0.0.7/x"), "in no network in which cameras may be added"),
        (camera(uri="rtsp://ada:secret@192.0.2.10/x"), "user or password"),
        (camera(uri="/dev/video0"), "devices need serve.devices"),
        (camera(options={"protocol_whitelist": "file"}), "cannot be given"),
    ],
)
def test_what_may_not_be_is_refused_as_if_anybody_gave_it(placed: PlacedCameras, one: FleetCamera, says: str) -> None:
    assert says in placed.start(one, keeps=False)
    assert not placed.may_run(one.name) or one.name == "one"


def test_credentials_lie_on_each_node_with_the_hosts_that_they_are_for(parts: Parts, placed: PlacedCameras) -> None:
    file = parts.directory.credentials / "door.txt"
    assert "cannot be read (No such file" in placed.start(camera(credentials="door.txt"), keeps=False)
    file.write_text("ada:secret\n")
    file.chmod(0o644)
    assert "may be read by others" in placed.start(camera(credentials="door.txt"), keeps=False)
    file.chmod(0o600)
    assert "were not given for 192.0.2.10:554" in placed.start(camera(credentials="door.txt"), keeps=False)
    (parts.directory.credentials / "door.txt.hosts").write_text("192.0.2.10\n")
    assert placed.start(camera(credentials="door.txt"), keeps=False) == ""


def test_what_the_fleet_placed_is_changed_in_the_fleet(parts: Parts, placed: PlacedCameras) -> None:
    placed.start(camera(), keeps=False)
    for verb in (RemoveStream(name="door"), PauseStream(name="door"), ChangeStream(name="door", changes={"detect_fps": 1.0})):
        problem = ask(parts, verb).problem
        assert problem is not None
        assert "was placed here by the fleet: change it in FLEET.yaml" in problem.message
    assert code(parts, added("door")) == "conflict"
    assert code(parts, added("other")) == "done"
    assert placed.start(camera("other"), keeps=False).startswith("there is a stream other")
