"""Starting, draining and dying: nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Clip
from tests.e2e.processes import QUICK, assert_nothing_left, children_of, is_working, results
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.e2e


def start(clip: Clip, out: Path, *more: str, generator: str = "bicubic") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "engine", "run", "--source", str(clip.video), "--out", str(out), *QUICK]
    return subprocess.Popen(
        [*command, "--generator", generator, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(clip: Clip, tmp_path: Path, number: signal.Signals):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    assert {"fs-decode-1", "fs-perceive", "fs-publish"} <= set(workers)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["outcome"] == "drained"
    last = json.loads((out / "stream.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["state"], last["reason"]) == ("ended", "drained")
    assert (out / "report.html").exists()
    assert_nothing_left(workers)


def test_a_second_signal_forces(clip: Clip, tmp_path: Path):
    """A push socket that nobody reads holds the drain back; the second signal does not wait."""
    out = tmp_path / "out"
    process = start(clip, out, "--publish", f"ipc://{tmp_path}/nobody", "--socket", "push")
    until(lambda: len(children_of(process.pid)) >= 4 and (out / "run.json").exists())
    workers = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # of the same signal, the kernel would keep one for two
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert_nothing_left(workers)


@pytest.fixture(scope="module")
def undisturbed(clip: Clip, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    process = start(clip, out)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    faces, tracks = results(out)
    assert faces
    assert any(len(track) > 6 for track in tracks), "there are pictures of tracks"
    return faces, tracks


@pytest.mark.parametrize("victim", ["fs-decode-1", "fs-perceive", "fs-enhance-1", "fs-publish"])
def test_a_run_outlives_its_workers_without_loss(clip: Clip, undisturbed, tmp_path: Path, victim: str):
    out = tmp_path / "out"
    generator = "compact_fine_x4" if victim == "fs-enhance-1" else "bicubic"  # so that it has something to lose
    process = start(clip, out, "--realtime", generator=generator)
    until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    os.kill(workers[victim], signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["outcome"] == "completed"
    assert len(run["attempts"]) == 2
    assert results(out) == undisturbed
    assert_nothing_left(workers)


def test_beside_a_camera_a_recording_outlives_each_worker_that_they_share_without_the_loss_of_a_face(
    clip: Clip, undisturbed, tmp_path: Path
):
    """The camera refuses, and is tried again and again: with a camera workers are replaced, and the run does not begin anew."""
    out, config = tmp_path / "out", tmp_path / "run.yaml"
    config.write_text(
        f"sources:\n  - {{uri: {clip.video}}}\n  - {{uri: 'rtsp://127.0.0.1:1/nobody', name: door}}\n"
        f"decode: {{realtime: true}}\ndetect: {{every: 3}}\nsuper_resolve: {{generator: compact_fine_x4}}\n"
        f"verify: {{embedder: none}}\noutput: {{directory: {out}, report: false}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "run", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def states() -> list[str]:
        assert process.poll() is None, process.stderr.read()
        lines = (out / "stream.jsonl").read_text(encoding="utf-8").splitlines() if (out / "stream.jsonl").exists() else []
        return [one["state"] for one in map(json.loads, lines) if one["stream"] == clip.video.stem]

    def is_live() -> bool:
        """All are there, and faces of the recording are written."""
        there = {"fs-enhance-1", "fs-publish", "fs-perceive"} <= children_of(process.pid).keys()
        return there and states()[-1:] == ["live"] and (out / "faces.jsonl").stat().st_size > 0

    until(is_live)
    # Each dies as soon as the one before has a successor, which still loads: however slow the machine is, the faces that are
    # left wait for that, and the recording is not over.
    for victim in ("fs-enhance-1", "fs-publish", "fs-perceive"):
        dead = children_of(process.pid)[victim]
        os.kill(dead, signal.SIGKILL)
        assert states()[-1] == "live", f"{victim} died too late"
        until(lambda dead=dead, victim=victim: children_of(process.pid).get(victim, dead) != dead)
    until(lambda: states()[-1:] == ["ended"])
    workers = children_of(process.pid)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, errors  # the camera never gave a picture, which is said
    faces, tracks = results(out)
    assert faces == undisturbed[0]
    assert [track[:4] for track in tracks] == [track[:4] for track in undisturbed[1]], "of a face before a death they know less"
    assert_nothing_left(workers)


def test_without_a_directory_a_dead_worker_ends_the_run_with_a_clear_error(clip: Clip, tmp_path: Path):
    command = [sys.executable, "-m", "engine", "run", "--source", str(clip.video), "--publish", f"ipc://{tmp_path}/faces"]
    process = subprocess.Popen([*command, *QUICK, "--realtime"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "fs-perceive" in children_of(process.pid) and (tmp_path / "faces").exists())
    workers = children_of(process.pid)
    os.kill(workers["fs-perceive"], signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "the worker perceive was killed by signal SIGKILL" in " ".join(errors.split())
    assert "Traceback" not in errors
    assert_nothing_left(workers)


def test_a_killed_supervisor_takes_its_workers_along(clip: Clip, tmp_path: Path):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert_nothing_left(workers)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["outcome"] == "running"


def test_a_killed_run_goes_on_where_it_was(clip: Clip, undisturbed, tmp_path: Path):
    out = tmp_path / "out"
    process = start(clip, out, "--realtime")
    until(lambda: is_working(process, out) and (out / "faces.jsonl").stat().st_size > 0)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    process = start(clip, out)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "--resume" in " ".join(errors.split()), "the way out is named"
    process = start(clip, out, "--resume")
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert results(out) == undisturbed
    before = (out / "faces.jsonl").read_bytes()
    process = start(clip, out, "--resume")
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert (out / "faces.jsonl").read_bytes() == before, "a finished run is left as it is"


def test_a_recording_whose_decoder_is_killed_again_fails_alone(clip: Clip, tmp_path: Path):
    """The first time the other recording is read to its end before it is begun again."""
    out, config = tmp_path / "out", tmp_path / "run.yaml"
    config.write_text(
        f"sources:\n  - {{uri: {clip.video}, name: deadly}}\n  - {{uri: {clip.video}, name: good}}\n"
        f"decode: {{parallel_files: 1}}\ndetect: {{every: 3}}\nsuper_resolve: {{generator: bicubic}}\n"
        f"verify: {{embedder: none}}\n"
        f"output: {{directory: {out}}}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "engine", "run", str(config), "--realtime"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killed: set[int] = set()

    def reads_again() -> int:
        assert process.poll() is None, process.stderr.read()
        decoder = children_of(process.pid).get("fs-decode-1", 0)
        path = out / "run.json"
        begun = path.exists() and len(json.loads(path.read_text(encoding="utf-8"))["attempts"]) > len(killed)
        return decoder if begun and decoder not in killed and _reads(decoder, clip.video) else 0

    for _ in range(2):
        decoder = until(reads_again)
        os.kill(decoder, signal.SIGKILL)
        killed.add(decoder)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, errors
    sentence = f"{clip.video}: the worker decode-1 was killed by signal SIGKILL while it read this recording"
    assert f"deadly failed (worker_died): {sentence}" in " ".join(errors.split())
    assert "Traceback" not in errors
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (run["outcome"], len(run["attempts"])) == ("completed", 2)
    states = [json.loads(line) for line in (out / "stream.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["state"] for one in states if one["stream"] == "deadly"][-1] == "failed"
    assert [one["state"] for one in states if one["stream"] == "good"] == ["connecting", "live", "ended"], "read once"
    assert any(face[0] == "good" for face in results(out)[0])


def _reads(pid: int, file: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(entry.resolve() == file.resolve() for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
