"""Cameras in whole runs: they come, go, refuse and lie, their workers die, and the run goes on and ends well."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.client import End, Track
from tests.cli.command import here
from tests.e2e.live_run import ARGUMENTS, FPS, LiveRun, make_clip
from tests.e2e.processes import assert_nothing_left
from tests.patience import PATIENCE_SECONDS, until
from tests.rtsp.clips import Clip
from tests.rtsp.fixtures import StartGst, gst
from tests.rtsp.listener import refusing_port

__all__ = ["gst"]
pytestmark = pytest.mark.e2e
PASSWORD = "Zx9-s3cret"
Scene = tuple[Clip, list[str]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_clip(tmp_path_factory.mktemp("scene"))


def configuration(folder: Path, sources: dict[str, str], **sections: dict[str, object]) -> str:
    path = folder / "cameras.yaml"
    tree = {"sources": [{"uri": uri, "name": name} for name, uri in sources.items()], **sections}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return str(path)


def track_ids_that_came_back(run: LiveRun) -> set[tuple[str, int]]:
    """Tracks with a face of a later picture than their end."""
    ended: dict[tuple[str, int], int] = {}
    back = set()
    for message in list(run.messages):
        if isinstance(message, Track) and message.ended:
            ended[message.stream, message.track_id] = message.sent_ns
    for face in run.faces:
        if face.captured_ns > ended.get((face.stream, face.track_id), face.captured_ns):
            back.add((face.stream, face.track_id))
    return back


@pytest.mark.parametrize("by", ["source", "yaml"])
def test_two_cameras_give_faces_and_drain(gst: StartGst, scene: Scene, tmp_path: Path, by: str) -> None:
    clip, options = scene
    server = gst({"one": clip, "two": clip})
    if by == "yaml":
        sources = [configuration(tmp_path, {"entrance": server.url("one"), "yard": server.url("two")})]
    else:
        sources = ["--source", server.url("one"), "--source", server.url("two")]
    with LiveRun(tmp_path, *sources, *options) as run:
        until(lambda: len({face.stream for face in run.faces if face.ntp_ns}) == 2)
        names = {face.stream for face in run.faces}
        workers = run.workers
        code, said = run.stop()
        assert code == 0, said
    if by == "yaml":
        assert names == {"entrance", "yard"}
    for face in run.faces:
        assert face.live is True
        assert face.quality.qp is not None
        if face.ntp_ns:  # the server's clock is ours
            assert 0 <= face.captured_ns - face.ntp_ns < 5e9
    for name in names:
        states = [message.state for message in run.states(name)]
        assert states[:2] == ["connecting", "live"]
        assert (states[-1], run.states(name)[-1].reason) == ("ended", "drained")
        assert any(isinstance(m, Track) and m.ended and m.stream == name for m in run.messages)
    assert run.ends[-1].outcome == "drained"
    assert not run.socket.exists()
    assert_nothing_left(workers)


def test_a_camera_that_restarts_is_found_again(gst: StartGst, scene: Scene, tmp_path: Path) -> None:
    clip, options = scene
    server = gst({"cam": clip})
    with LiveRun(tmp_path, configuration(tmp_path, {"door": server.url("cam")}), *options) as run:
        run.wait_for_faces("door")
        before = len(run.states("door"))
        server.kill()
        run.wait_for_state("door", "connecting", before)
        server.start()
        run.wait_for_state("door", "live", before)
        run.wait_for_faces("door", since_ns=time.time_ns())
        code, said = run.stop()
        assert code == 0, said
    after = [message.state for message in run.states("door")[before:]]
    assert after[:2] == ["discontinuity", "connecting"]
    assert set(after[1 : after.index("live")]) == {"connecting"}
    assert all(message.reason for message in run.states("door")[before : before + after.index("live")])
    assert not track_ids_that_came_back(run)


def test_a_live_run_outlives_each_of_its_workers(gst: StartGst, scene: Scene, tmp_path: Path) -> None:
    clip, options = scene
    server = gst({"one": clip, "two": clip})
    config = configuration(tmp_path, {"alpha": server.url("one"), "bravo": server.url("two")})
    with LiveRun(tmp_path, config, *options) as run:
        seen: dict[int, str] = {}
        for victim in ("fs-camera-alpha", "fs-perceive", "fs-enhance-1", "fs-publish"):
            run.wait_for_faces("alpha", "bravo", since_ns=time.time_ns())
            seen |= {pid: name for name, pid in run.workers.items()}
            dead = run.workers[victim]
            os.kill(dead, signal.SIGKILL)
            killed_ns = time.time_ns()
            until(lambda victim=victim, dead=dead: run.workers.get(victim, dead) != dead)
            run.wait_for_faces("alpha", "bravo", since_ns=killed_ns)
        seen |= {pid: name for name, pid in run.workers.items()}
        code, said = run.stop()
        assert code == 0, said
        assert "Traceback" not in said
    assert not track_ids_that_came_back(run)
    assert len({face.run_id for face in run.faces}) == 1
    end = next(message for message in run.messages if isinstance(message, End))
    handed_over = end.counters["faces"]  # all but what was counted after the last beat of a dead worker
    assert 0.7 * len(run.faces) <= handed_over <= 1.3 * len(run.faces)
    assert end.counters["frames"] == end.counters["frames.alpha"] + end.counters["frames.bravo"] >= 2 * FPS * 4
    lines = [(face.stream, face.seq) for face in run.faces]
    assert len(lines) == len(set(lines)), "no number is given twice"
    assert_nothing_left({str(pid): pid for pid in seen})


@pytest.fixture
def refusing() -> Iterator[int]:
    """Yield a port at which nobody listens."""
    with refusing_port() as port:
        yield port


def test_sick_cameras_say_why_and_harm_no_other(gst: StartGst, scene: Scene, refusing: int, tmp_path: Path) -> None:
    clip, options = scene
    healthy = gst({"cam": clip, "sound": "audio"})
    locked = gst({"cam": clip}, user="ann", password="right-one")
    (tmp_path / "door.txt").write_text(f"ann:{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "door.txt").chmod(0o600)
    reasons = {"locked": "auth", "refused": "network", "sound": "no_video", "device": "not_found", "nowhere": "not_found"}
    sources = [
        {"uri": healthy.url("cam"), "name": "healthy"},
        {"uri": locked.url("cam", f"ann:{PASSWORD}"), "name": "locked"},
        {"uri": locked.url("cam"), "name": "locked2", "credentials": str(tmp_path / "door.txt")},
        {"uri": f"rtsp://127.0.0.1:{refusing}/cam", "name": "refused"},
        {"uri": healthy.url("sound"), "name": "sound"},
        {"uri": "/dev/video97", "name": "device"},
        {"uri": healthy.url("nothing"), "name": "nowhere"},
    ]
    config = tmp_path / "cameras.yaml"
    tree = {"sources": [source | {"max_reconnects": 0} for source in sources]}
    config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    with LiveRun(tmp_path, str(config), *options, "--log-format", "json") as run:
        for name, reason in (reasons | {"locked2": "auth"}).items():
            assert run.wait_for_state(name, "failed").reason == reason, name
        run.wait_for_faces("healthy", since_ns=time.time_ns())
        code, said = run.stop()
        assert code == 1, said
    assert "Traceback" not in said
    assert PASSWORD not in said
    assert PASSWORD not in repr(run.messages)
    for path in run.out.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path.name


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([{"uri": "rtsp://127.0.0.1/a", "name": "door"}, {"uri": "rtsp://127.0.0.1/b", "name": "door"}], "'door'"),
        ([{"uri": "rtsp://127.0.0.1/a", "credentials": "{folder}/missing.txt"}], "missing.txt"),
        ([{"uri": "rtsp://127.0.0.1/a", "credentials": "{folder}"}], "credentials"),
        ([{"uri": f"rtsp://ann:{PASSWORD}@127.0.0.1:99999/a"}], "99999"),
        ([{"uri": f"gopher://ann:{PASSWORD}@127.0.0.1/a"}], "gopher"),
    ],
    ids=["one name twice", "missing file", "directory", "port", "scheme"],
)
def test_what_cannot_be_meant_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sources: list[dict[str, str]], words: str
) -> None:
    config = tmp_path / "cameras.yaml"
    text = yaml.safe_dump({"sources": sources}).replace("{folder}", str(tmp_path))
    config.write_text(text, encoding="utf-8")
    done = here(capsys, *ARGUMENTS, str(config), "--out", tmp_path / "out")
    assert done.code == 2, done.err
    assert words in done.err.replace("\n", "")
    assert PASSWORD not in done.out + done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_a_password_on_the_command_line_is_not_kept(gst: StartGst, scene: Scene, tmp_path: Path) -> None:
    """The record of a run holds its command."""
    clip, options = scene
    server = gst({"cam": clip}, user="ann", password=PASSWORD)
    with LiveRun(tmp_path, "--source", server.url("cam", f"ann:{PASSWORD}"), *options) as run:
        until(lambda: run.faces)
        workers = run.workers
        for pid in workers.values():
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        run.process.kill()
        run.process.wait(PATIENCE_SECONDS)
        assert_nothing_left(workers)
        until(lambda: not run.socket.exists())
    assert PASSWORD not in run.said + repr(run.messages)
    for path in run.out.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path.name
