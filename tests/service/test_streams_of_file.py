"""Streams that the configuration file names, and those that were added beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.answers import Stream
from engine.control.verbs import (
    ChangeSettings,
    ChangeStream,
    PauseStream,
    RemoveStream,
    ResumeStream,
)
from engine.errors import ConfigError, PublishError
from engine.pipeline.control import RunControl
from engine.service.build import Parts
from tests.service.parts import SOURCES, added, ask, code, service_in, states


def test_streams_of_the_file_and_others(parts: Parts) -> None:
    assert isinstance(ask(parts, added("door")).result, Stream)
    assert code(parts, PauseStream(name="one")) == "done"
    assert states(parts) == {"door": "connecting", "one": "paused", "two": "connecting"}
    assert code(parts, RemoveStream(name="two")) == code(parts, ResumeStream(name="one")) == "done"
    assert states(parts) == {"door": "connecting", "one": "connecting"}
    assert code(parts, RemoveStream(name="two")) == "not_found"
    assert code(parts, added("one")) == "conflict"
    assert code(parts, ChangeStream(name="door", changes={"name": "gate"})) == "bad_request"
    assert code(parts, ChangeStream(name="door", changes={"rotate": 45})) == "bad_request"
    assert code(parts, ChangeStream(name="door", changes={"unknown": 1})) == "bad_request"
    assert code(parts, ChangeStream(name="nobody", changes={"rotate": 90})) == "not_found"


def test_all_of_it_is_there_again_after_a_restart(tmp_path: Path) -> None:
    with service_in(tmp_path, sources=SOURCES) as parts:
        ask(parts, added("door"))
        ask(parts, added("gate", paused=True))
        ask(parts, ChangeStream(name="door", changes={"detect_fps": 3.0}))
        ask(parts, PauseStream(name="one"))
        ask(parts, RemoveStream(name="two"))
        ask(parts, ChangeSettings(changes={"crop.top_k": 7}))
        before = states(parts)
    with service_in(tmp_path, sources=SOURCES) as parts:
        assert states(parts) == before
        assert parts.life.config.crop.top_k == 7
        assert [one.name for one in parts.streams.readable(parts.state.desired, RunControl(), {})] == ["door"]
        assert parts.state.desired.streams["door"].source.detect_fps == 3.0


def test_streams_of_the_file_follow_it(tmp_path: Path) -> None:
    with service_in(tmp_path, sources=SOURCES) as parts:
        ask(parts, RemoveStream(name="two"))
        ask(parts, PauseStream(name="one"))
    moved = SOURCES.replace("10.1.1.1/one", "10.1.1.9/one").replace("name: two", "name: three")
    with service_in(tmp_path, sources=moved) as parts:
        assert states(parts) == {"one": "paused", "three": "connecting"}
        ask(parts, ResumeStream(name="one"))
        urls = {one.name: one.shown for one in parts.streams.readable(parts.state.desired, RunControl(), {})}
        assert urls == {"one": "rtsp://10.1.1.9/one", "three": "rtsp://10.1.1.1/two"}
        assert parts.state.desired.removed == ()
    with service_in(tmp_path, sources=SOURCES) as parts:
        assert states(parts) == {"one": "connecting", "two": "connecting"}, "it was forgotten that two was removed"


def test_one_that_was_changed_follows_the_file_no_longer(tmp_path: Path) -> None:
    with service_in(tmp_path, sources=SOURCES.replace("10.1.1.1/one", "192.0.2.3/one")) as parts:
        assert code(parts, ChangeStream(name="one", changes={"detect_fps": 3.0})) == "done"
    with service_in(tmp_path, sources=SOURCES.replace("10.1.1.1/one", "192.0.2.4/one")) as parts:
        assert parts.streams.one(parts.state.desired, "one").source.uri == "rtsp://192.0.2.3/one"
        ask(parts, RemoveStream(name="one"))
        assert "one" not in states(parts), "the file's does not come back in its place"


def test_a_recording_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    sources = f"sources: [{{uri: {tmp_path}/clip.mp4}}]"
    words = "`serve` reads cameras, and clip is a recording"
    with pytest.raises(ConfigError, match=words), service_in(tmp_path, sources=sources):
        pass


def test_two_services_do_not_share_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 0.0)
    with service_in(tmp_path), pytest.raises(PublishError, match="another service runs in"), service_in(tmp_path):
        pass


def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="others may use the directory"), service_in(tmp_path):
        pass
