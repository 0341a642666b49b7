"""The verbs, without a run and without a socket."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import Redact, SourceConfig
from engine.contracts.probed import Probed
from engine.control.answers import Done, Settings, Status, Stream, Streams
from engine.control.verbs import (
    AddStream,
    AnyVerb,
    ChangeSettings,
    ChangeStream,
    Drain,
    EnrolPerson,
    GetSettings,
    GetStatus,
    ListPeople,
    ListStreams,
    PauseStream,
    Picture,
    Probe,
    RemovePerson,
    RemoveStream,
    RenamePerson,
    ResumeStream,
    SearchPerson,
    SetLogLevel,
)
from engine.pipeline.control import PAUSED, RunControl
from engine.service.build import Parts
from engine.service.caller import Caller
from engine.service.task_messages import ProbeTask
from engine.service.tasks import Tasks
from tests.service.parts import SOURCES, Says, added, ask, code, service_in, states


def test_only_the_cameras_that_changed_are_touched(parts: Parts) -> None:
    control = RunControl()
    cameras = {one.name: one for one in parts.streams.readable(parts.state.desired, control, {})}
    ask(parts, added("door"))
    now = control.changed(cameras)
    assert now.keys() - cameras.keys() == {"door"}
    assert all(now[name] is camera for name, camera in cameras.items())
    ask(parts, ChangeStream(name="door", changes={"detect_fps": 2.0}))
    after = control.changed(now)
    assert after["door"].detect_fps == 2.0
    assert all(after[name] is camera for name, camera in cameras.items())
    ask(parts, PauseStream(name="two"))
    assert control.changed(after).keys() == {"door", "one"}
    assert control.why_ended("two") == PAUSED
    ask(parts, ResumeStream(name="two"))
    assert control.changed({})["two"] == cameras["two"]


def test_a_camera_that_cannot_be_read_keeps_no_other_from_it(tmp_path: Path) -> None:
    with service_in(tmp_path, sources=SOURCES) as parts:
        (parts.directory.credentials / "pass").write_text("a:b")
        (parts.directory.credentials / "pass").chmod(0o600)
        (parts.directory.credentials / "pass.hosts").write_text("192.0.2.10")
        ask(parts, AddStream(source=SourceConfig(uri="rtsp://192.0.2.10/x", name="door", credentials="pass")))
        (parts.directory.credentials / "pass").unlink()
    with service_in(tmp_path, sources=SOURCES) as parts:
        assert {one.name for one in parts.streams.readable(parts.state.desired, RunControl(), {})} == {"one", "two"}
        result = ask(parts, ListStreams()).result
        assert isinstance(result, Streams)
        assert result.streams[0].state == "failed"
        assert "pass cannot be read" in result.streams[0].detail


def test_a_key_does_nothing_twice(parts: Parts) -> None:
    first = ask(parts, added("door"), key="k")
    ask(parts, RemoveStream(name="door"))
    assert ask(parts, added("door"), key="k") == first
    assert "door" not in states(parts)
    assert code(parts, added("gate"), key="k") == "conflict"
    assert isinstance(ask(parts, added("door"), key="k", caller=Caller("key:desk")).result, Stream), "another's key is another"


def test_keys_outlive_a_restart_and_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.answers.MOST", 3)
    with service_in(tmp_path) as parts:
        for number in range(5):
            ask(parts, added(f"door{number}"), key=f"k{number}")
        assert len(parts.state.desired.answers) == 3
    with service_in(tmp_path) as parts:
        ask(parts, RemoveStream(name="door4"))
        assert isinstance(ask(parts, added("door4"), key="k4").result, Stream)
        assert "door4" not in states(parts)
        assert code(parts, added("door9"), key="x" * 129) == "bad_request"


def test_the_same_camera_twice_is_no_conflict(parts: Parts) -> None:
    assert code(parts, added("door")) == code(parts, added("door")) == "done"
    assert code(parts, added("door", "rtsp://192.0.2.11/x")) == "conflict"


def test_what_nobody_waits_for_is_not_done(parts: Parts) -> None:
    for verb in (added("door"), RemoveStream(name="one"), ChangeSettings(changes={"crop.top_k": 7}), Drain()):
        assert code(parts, verb, deadline_ns=time.time_ns() - 1) == "deadline"
    assert states(parts).keys() == {"one", "two"}
    assert not parts.life.stopping


def test_a_disk_that_is_full_changes_nothing(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    problem = ask(parts, added("door")).problem
    assert problem is not None
    assert problem.code == "failed"
    assert "No space left on device; nothing was changed" in problem.message
    assert states(parts).keys() == {"one", "two"}
    monkeypatch.undo()
    assert code(parts, added("door")) == "done"


def test_there_are_not_more_than_this_system_has_room_for(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda kind: (64, 64))
    problem = ask(parts, added("door")).problem
    assert problem is not None
    assert problem.code == "refused"
    assert "3 cameras need" in problem.message
    assert "ulimit" in problem.message
    monkeypatch.undo()
    assert code(parts, added("door")) == "done"


def test_roles(parts: Parts) -> None:
    viewer, operator, enroller = (Caller("key:a", frozenset([role])) for role in ("view", "operate", "enrol"))
    picture = Picture(content=b"x")
    looks: list[AnyVerb] = [ListStreams(), GetStatus(), GetSettings(), ListPeople()]
    operates: list[AnyVerb] = [
        added("door"), ChangeStream(name="one", changes={}), PauseStream(name="one"), ResumeStream(name="one"),
        RemoveStream(name="one"), Probe(source=SourceConfig(uri="x")), ChangeSettings(changes={}), SetLogLevel(level="error"),
        Drain(),
    ]  # fmt: skip
    enrols: list[AnyVerb] = [
        EnrolPerson(name="a", pictures=[picture]), RemovePerson(name="a"), RenamePerson(name="a", new_name="b"),
        SearchPerson(picture=picture),
    ]  # fmt: skip
    for caller, verbs in ((viewer, operates + enrols), (operator, looks + enrols), (enroller, looks + operates)):
        assert {code(parts, verb, caller=caller) for verb in verbs} == {"forbidden"}
    assert {code(parts, verb, caller=viewer) for verb in looks} == {"done"}
    assert states(parts) == {"one": "connecting", "two": "connecting"}


def test_settings(parts: Parts) -> None:
    control = RunControl()
    parts.life.begin("run", control)
    result = ask(parts, ChangeSettings(changes={"crop.top_k": 7, "profile": "fast"})).result
    assert isinstance(result, Settings)
    assert (result.values["crop.top_k"], result.profile, result.values["detect.every"]) == (7, "fast", 3)
    assert control.end_asked == "the settings were changed"
    assert ask(parts, ChangeSettings(changes={"profile": None})).result.profile == "balanced"  # type: ignore[union-attr]
    assert parts.state.desired.settings == {"crop.top_k": 7}


@pytest.mark.parametrize(
    "changes",
    [
        {"crop.top_k": 0}, {"crop.top_k": "many"}, {"profile": "none"}, {"serve.directory": "/"}, {"verify.gallery": "/etc/x"},
        {"publish.endpoint": "tcp://0.0.0.0:1"}, {"publish.embeddings": True}, {"output.directory": "/tmp"}, {"sources": []},
        {"super_resolve.generator": "/tmp/evil.onnx"}, {"super_resolve.generator": "../x"}, {"detect.detector": "/tmp/x.onnx"},
        {"crop": {"top_k": 3}}, {"": 1}, {"crop.top_k.x": 1}, {"verify.known_cosine": float("nan")},
    ],
)  # fmt: skip
def test_settings_that_cannot_be(parts: Parts, changes: dict[str, object]) -> None:
    assert code(parts, ChangeSettings(changes=changes)) in ("bad_request", "refused")
    assert parts.state.desired.settings == {}


def test_drain_and_log_level(tmp_path: Path) -> None:
    says = Says()
    with service_in(tmp_path, says) as parts:
        assert ask(parts, SetLogLevel(level="error")).result == Done()
        assert says.levels == ["error"]
        control = RunControl()
        parts.life.begin("run", control)
        assert code(parts, Drain()) == "done"
        assert control.end_asked
        assert code(parts, added("door")) == "stopping"
        status = ask(parts, GetStatus()).result
        assert isinstance(status, Status)
        assert (status.state, status.ready) == ("stopping", False)


VERBS = st.one_of(
    st.builds(added, st.sampled_from(["one", "door", "gate"]), st.sampled_from(["rtsp://192.0.2.1/x", "rtsp://192.0.2.2/y"])),
    st.builds(lambda name: PauseStream(name=name), st.sampled_from(["one", "two", "door"])),
    st.builds(lambda name: ResumeStream(name=name), st.sampled_from(["one", "two", "door"])),
    st.builds(lambda name: RemoveStream(name=name), st.sampled_from(["one", "two", "door", "gate"])),
    st.builds(
        lambda name, fps: ChangeStream(name=name, changes={"detect_fps": fps}),
        st.sampled_from(["one", "door", "gate"]),
        st.sampled_from([None, 1.0, 2.0]),
    ),
    st.builds(lambda value: ChangeSettings(changes={"crop.top_k": value}), st.sampled_from([None, 1, 2, 0])),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verbs=st.lists(VERBS, max_size=8))
def test_whatever_was_done_is_there_again(tmp_path_factory: pytest.TempPathFactory, verbs: list[AnyVerb]) -> None:
    folder = tmp_path_factory.mktemp("service")
    with service_in(folder, sources=SOURCES.replace("10.1.1.1", "192.0.2.9")) as parts:
        for verb in verbs:
            ask(parts, verb)
        before, wanted = parts.state.desired, parts.streams.wanted(parts.state.desired)
    with service_in(folder, sources=SOURCES.replace("10.1.1.1", "192.0.2.9")) as parts:
        assert parts.state.desired == before
        assert parts.streams.wanted(parts.state.desired) == wanted
        read = {one.name for one in parts.streams.readable(parts.state.desired, RunControl(), {})}
        assert read == {name for name, one in wanted.items() if not one.paused}


def test_a_probe_is_told_what_may_be_shown(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def child(tasks: Tasks, task: ProbeTask, wanted: type, seconds: float) -> Probed:
        return Probed(shown=task.redact)

    monkeypatch.setattr(Tasks, "run", child)
    choices: list[Redact] = ["none", "blur", "vectors"]
    for redact in choices:
        parts.life.config = replace(parts.life.config, publish=replace(parts.life.config.publish, redact=redact))
        assert ask(parts, Probe(source=SourceConfig(uri="rtsp://192.0.2.10/x"))).result == Probed(shown=redact)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"crop.min_size_px": 79, "crop.max_size_px": 20}, "changes.crop.min_size_px"),
        ({"crop.min_size_px": 100}, "changes.crop.min_size_px"),
        ({"verify.unknown_cosine": 0.9, "verify.known_cosine": 0.1}, "changes.verify.unknown_cosine"),
    ],
)
def test_settings_that_cross_are_refused_with_the_field(parts: Parts, changes: dict[str, float], field: str) -> None:
    problem = ask(parts, ChangeSettings(changes=changes)).problem
    assert problem is not None
    assert (problem.code, problem.field) == ("bad_request", field)
    assert ask(parts, ChangeSettings(changes={"crop.min_size_px": 80})).problem is None, "as large as the other is no fault"
