"""One bad file never harms another: a batch in which every seventh recording or so is bad, each in its own way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.bad_files import BAD, environment, face_clip, make_batch
from tests.e2e.processes import assert_nothing_left, children_of, is_working
from tests.e2e.test_recordings import lines_of
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.e2e

QUICK = ["--embedder", "none", "--generator", "bicubic", "--detector", "grey"]


def run(out: Path, *arguments: object, config: dict | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "run"]
    if config is not None:
        path = out.with_suffix(".yaml")
        path.write_text(json.dumps(config), encoding="utf-8")
        command.append(str(path))
    return subprocess.run(
        [*command, "--out", str(out), *QUICK, *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, env=environment(),
    )  # fmt: skip


def ends_of(out: Path) -> dict[str, list[dict]]:
    """The last states of each stream, of which there must be one."""
    ends: dict[str, list[dict]] = {}
    for line in lines_of(out / "stream.jsonl"):
        if line["state"] in ("ended", "failed"):
            ends.setdefault(line["stream"], []).append(line)
    return ends


def faces_of(out: Path) -> list[str]:
    return sorted(line["stream"] for line in lines_of(out / "faces.jsonl"))


def test_a_batch_of_thirty_with_bad_ones_among_them(tmp_path: Path):
    good = make_batch(tmp_path / "batch", good=24)
    out = tmp_path / "out"
    done = run(out, "--source", tmp_path / "batch", "--log-format", "json")
    assert done.returncode == 1, done.stderr
    log = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    ends = ends_of(out)
    assert set(ends) == {*good, *BAD}
    assert all(len(states) == 1 for states in ends.values()), "each is read once"
    for name, (reason, sentence) in BAD.items():
        (last,) = ends[name]
        assert (last["state"], last["reason"]) == ("failed", reason)
        assert sentence in last["detail"]
        assert f"{name}.mp4" in last["detail"]
    assert {name for name in good if ends[name][0]["state"] == "ended"} == set(good)
    assert [name for name in faces_of(out) if name in good] == sorted(good), "one face each"
    ended = log[-1]
    assert (ended["event"], ended["exit_code"]) == ("run_ended", 1)
    assert sorted(ended["failed_streams"]) == sorted(BAD)
    assert BAD["crashes"][1] in ended["streams"]["crashes"]["detail"]
    run_json = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (run_json["outcome"], len(run_json["attempts"])) == ("completed", 1)
    assert all(len(run_json["inputs"][name]["sha256"]) == 64 for name in good)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert f"{len(BAD)} of {24 + len(BAD)} streams failed: " in report
    assert "crashes (worker died)" in report


def test_whatever_breaks_one_leaves_the_next_alone(tmp_path: Path):
    """One reader, so that a good one waits behind each bad one; and the table names those."""
    faults = {name: f"behind-{name}" for name in ("crashes", "aborts", "leaves", "raises", "memory")}
    good = face_clip(tmp_path / "good.mp4")
    copies = [shutil.copy(good, tmp_path / f"{name}.mp4") for pair in faults.items() for name in pair]
    sources = [word for copy in copies for word in ("--source", copy)]
    out = tmp_path / "out"
    done = run(out, *sources, config={"decode": {"parallel_files": 1}})
    assert done.returncode == 1, done.stderr
    ends = ends_of(out)
    said = " ".join(done.stderr.split())
    for fault, behind in faults.items():
        assert [state["state"] for state in ends[behind]] == ["ended"]
        assert [state["state"] for state in ends[fault]] == ["failed"]
        assert behind in faces_of(out)
        assert f"facestream: {fault} failed ({ends[fault][0]['reason']}): {tmp_path / fault}.mp4: " in said
    assert f"{len(faults)} failed" in said, "the table at the end"
    assert "Traceback" not in done.stderr


def test_odd_names_are_names(tmp_path: Path):
    """Whatever bytes the file system allows; one crashes its reader on top."""
    folder = tmp_path / "in"
    folder.mkdir()
    first = face_clip(folder / "a.mp4")
    for name in (b"latin\xe9.mp4", "\U0001f600.mp4".encode(), b"new\nline.mp4", b"100%d.mp4", b"crashes\xff.mp4"):
        shutil.copy(first, folder / os.fsdecode(name))
    out = tmp_path / "out"
    done = run(out, "--source", folder, "--source", folder / os.fsdecode(b"latin\xe9.mp4"))
    assert done.returncode == 1, done.stderr
    ends = ends_of(out)
    assert sorted(states[0]["state"] for states in ends.values()) == ["ended"] * 6 + ["failed"]
    assert "crashes\\udcff.mp4: the worker" in ends["crashes"][0]["detail"]
    assert (out / "report.html").exists()


def test_a_reader_that_was_killed_from_outside_reads_its_recording_again_at_the_end(tmp_path: Path):
    """As the system does for want of memory: no fault of the recording. The others are read once."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "once", "z"):
        face_clip(folder / f"{name}.mp4")
    out = tmp_path / "out"
    done = run(out, "--source", folder)
    assert done.returncode == 0, done.stderr
    ends = ends_of(out)
    assert {name: states[-1]["state"] for name, states in ends.items()} == {"a": "ended", "once": "ended", "z": "ended"}
    assert [len(ends[name]) for name in ("a", "z")] == [1, 1]
    assert faces_of(out) == ["a", "once", "z"]
    assert len(json.loads((out / "run.json").read_text(encoding="utf-8"))["attempts"]) == 2


def test_a_reader_that_hangs_fails_its_recording_alone(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("hangs", "z"):
        face_clip(folder / f"{name}.mp4")
    out = tmp_path / "out"
    done = run(out, "--source", folder, config={"supervise": {"hung_seconds": 3}})
    assert done.returncode == 1, done.stderr
    ends = ends_of(out)
    assert (
        "gave no sign of life for 3 s (supervise.hung_seconds) and was killed while it read this recording"
        in ends["hangs"][0]["detail"]
    )
    assert [state["state"] for state in ends["z"]] == ["ended"]
    assert len(json.loads((out / "run.json").read_text(encoding="utf-8"))["attempts"]) == 1


def test_recordings_that_are_lost_while_they_are_read(tmp_path: Path):
    """What was open stays readable, what is cut off is said; either way the other one is read."""
    folder = tmp_path / "in"
    folder.mkdir()
    face_clip(folder / "z.mp4")
    for fault in ("vanishes", "shrinks"):
        face_clip(folder / f"{fault}.mp4", frames=60)
    out = tmp_path / "out"
    done = run(out, "--source", folder)
    ends = ends_of(out)
    assert [state["state"] for state in ends["z"]] == ["ended"]
    assert [state["state"] for state in ends["vanishes"]] == ["ended"]
    assert len(ends["shrinks"]) == 1
    assert done.returncode == (1 if ends["shrinks"][0]["state"] == "failed" else 0)


def test_without_a_directory_the_others_go_on_too(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("crashes", "killed", "z"):
        face_clip(folder / f"{name}.mp4")
    command = [sys.executable, "-m", "engine", "run", "--publish", f"ipc://{tmp_path}/faces", "--source", str(folder)]
    done = subprocess.run(
        [*command, *QUICK, "--log-format", "json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env=environment(),
    )
    ended = json.loads(done.stderr.splitlines()[-1])
    assert done.returncode == 1
    assert {name: stream["state"] for name, stream in ended["streams"].items()} == {
        "crashes": "failed", "killed": "failed", "z": "ended",
    }  # fmt: skip


def test_a_signal_while_a_reader_is_dead_still_drains(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        face_clip(folder / f"{name}.mp4", frames=250)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "engine", "run", "--out", str(out), "--source", str(folder), *QUICK, "--realtime"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: is_working(process, out))
    workers = children_of(process.pid)
    os.kill(workers["fs-decode-1"], signal.SIGSEGV)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    ends = ends_of(out)
    assert all(len(states) == 1 for states in ends.values()), errors
    assert sorted(states[0]["reason"] for states in ends.values()) == ["drained", "worker_died"]
    assert process.returncode == 1
    assert_nothing_left(workers)


def test_a_series_of_pictures_is_one_stream_and_a_photograph_gives_its_face(tmp_path: Path):
    import av

    face_clip(tmp_path / "clip.mp4", frames=5)
    (tmp_path / "seq").mkdir()
    with av.open(str(tmp_path / "clip.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            frame.to_image().save(tmp_path / "seq" / f"f{number + 8}.png")
    (tmp_path / "seq" / "f10.png").write_bytes(b"broken")
    shutil.copy(tmp_path / "seq" / "f8.png", tmp_path / "photo.png")
    face_clip(tmp_path / "single.mp4", frames=1)
    out = tmp_path / "out"
    sources = [tmp_path / "seq" / "f%d.png", tmp_path / "photo.png", tmp_path / "single.mp4"]
    done = run(out, *(word for source in sources for word in ("--source", source)), "--fps", 10)
    assert done.returncode == 0, done.stderr
    assert faces_of(out) == ["photo", "seq", "single"]
    (track,) = [line for line in lines_of(out / "tracks.jsonl") if line["stream"] == "seq" and line["ended"]]
    assert (track["frames_seen"], track["last_pts_seconds"]) == (4, pytest.approx(0.4)), "of four frames"
    facts = json.loads((out / "run.json").read_text(encoding="utf-8"))["inputs"]["seq"]
    assert (facts["pictures"], facts["fps"], len(facts["sha256"])) == (5, 10.0, 64)
    assert "1 of 5 pictures was left out" in " ".join(done.stderr.split())
    again = run(out, *(word for source in sources for word in ("--source", source)), "--fps", 10, "--resume")
    assert again.returncode == 0, again.stderr
    assert faces_of(out) == ["photo", "seq", "single"]
    (tmp_path / "seq" / "f9.png").write_bytes((tmp_path / "seq" / "f8.png").read_bytes()[::-1])
    changed = run(out, *(word for source in sources for word in ("--source", source)), "--fps", 10, "--resume")
    assert changed.returncode == 2
    assert "has changed its content" in " ".join(changed.stderr.split()) or "has changed its size" in changed.stderr
