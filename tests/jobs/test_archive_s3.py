"""An archive in object storage on a cluster of real nodes: the result is that of one machine over the same files."""

from __future__ import annotations

import io
import json
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.archive.reader import read_run
from engine.contracts.stored import Place
from engine.jobs.stored_folder import StoredAt, find_job
from engine.sample.clip import render_sample
from engine.storage.s3 import Storage
from tests.jobs.nodes import nodes
from tests.jobs.same import same_results
from tests.jobs.submission import Kind, Submission, kill_one
from tests.patience import until
from tests.servers.s3 import OtherServer, S3Server

pytest.importorskip("ray")
TAPES = "s3://results/all tapes/50%"
ODD = {"a b.mp4": 0, "ä/50%20.mp4": 1, "A b.mp4": 2}
"""Keys, and the seeds of what they hold; in folders they are called as their streams."""


def engine(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end."""
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three clips, and one that is none."""
    for key, seed in ODD.items():
        clip = tmp_path / "archive" / key
        render_sample(clip, seconds=1.0, seed=seed, size_px=(320, 240))
        shutil.rmtree(clip.with_name(f"{clip.stem}-enrol"))
    (tmp_path / "archive" / "bad.mkv").write_text("no video")
    return tmp_path / "archive"


def alone(archive: Path, out: Path, gallery: Path) -> Path:
    """Process the same in one run."""
    config = out.with_suffix(".yaml")
    config.write_text(f"verify: {{gallery: {gallery}}}\n")
    run = engine("run", config, "-q", "--source", archive, "--out", out)
    assert run.returncode == 1, run.stderr
    return out


def on_this_machine(work: Path) -> Path:
    """What the job has here; nothing has that name before it is begun."""
    return work / (find_job(StoredAt(Place("results", "all tapes/50%"))) or "not-begun")


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_from_storage_to_storage_whatever_dies(any_s3: S3Server | OtherServer, archive: Path, tmp_path: Path) -> None:
    s3 = any_s3
    for path in archive.rglob("*.m*"):
        s3.client.upload_file(str(path), "footage", f"2026/{path.relative_to(archive)}")
    work, chance, asked = tmp_path / "work", random.Random(1), [0]

    def at_times(method: str, path: str, query: dict[str, str]) -> tuple[int, str] | None:
        asked[0] += 1
        return (503, "SlowDown") if asked[0] % 7 == 0 else None

    kinds: tuple[Kind, ...] = ("driver", "task")
    with nodes(2) as cluster, s3.failing(at_times):
        more = ["--work", str(work), "--s3-endpoint", s3.url]
        submission = Submission(["s3://footage/2026/"], TAPES, cluster.address, *more, seen_at=lambda: on_this_machine(work))
        until(lambda: submission.begun, "a task that somebody is at work on")
        for kind in kinds:
            assert kill_one(kind, cluster, submission, chance), f"{kind}: {submission.said}"
        assert submission.wait(300) == 1, submission.said
    sentence = "facestream: bad failed: s3://footage/2026/bad.mkv is not a video that FFmpeg can read\n"
    assert submission.said == sentence
    fetched = tmp_path / "fetched"
    assert engine("archive", "fetch", TAPES, fetched).stdout == f"result: {fetched}\n"
    mine, single = on_this_machine(work), alone(archive, tmp_path / "single", next(work.glob("*/job/gallery.sqlite")))
    assert f"facestream clip {fetched} --track" in (fetched / "report.html").read_text()
    assert str(work) not in (fetched / "report.html").read_text().partition("<details")[0]
    inputs = read_run(fetched)["inputs"]
    assert {one["path"] for one in inputs.values()} == {f"s3://footage/2026/{key}" for key in [*ODD, "bad.mkv"]}
    assert same_results(fetched, mine / "result") == ""
    assert same_results(single, as_of_files(fetched, single)) == ""
    assert not any(key.endswith("/") for key in s3.keys("results"))
    told = engine("archive", "status", TAPES, "--work", work, "--json")
    assert (json.loads(told.stdout)["phase"], json.loads(told.stdout)["recordings_failed"]) == ("done", 1)
    for text in (path.read_text(errors="replace") for path in mine.rglob("*.json*")):
        assert "not/a+secret" not in text
        assert "AKIDTEST" not in text
    for command in (["report", fetched], ["people", fetched, "--json"]):
        assert engine(*command).returncode == 0


def as_of_files(result: Path, single: Path) -> Path:
    """Call the recordings of a result as those of another one, but for what storage alone knows of them."""
    run, other = json.loads((result / "run.json").read_text()), read_run(single)
    for stream, facts in run["inputs"].items():
        known = other["inputs"][stream]
        assert facts.get("sha256") == known.get("sha256")
        assert facts["size_bytes"] == known["size_bytes"]
        run["inputs"][stream] = known
    (result / "run.json").write_text(json.dumps(run))
    lines = (result / "stream.jsonl").read_text()
    for facts in read_run(single)["inputs"].values():
        lines = lines.replace(f"s3://footage/2026/{Path(facts['path']).name}", facts["path"])
    (result / "stream.jsonl").write_text(lines)
    return result


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_from_files_to_storage_and_on_without_the_folder_of_before(s3: S3Server, archive: Path, tmp_path: Path) -> None:
    more = ["--address", "local", "-q", "--workers", "1", "--out", TAPES, "--work"]
    first = engine("archive", "submit", archive / "a b.mp4", *more, tmp_path / "work")
    assert (first.returncode, first.stderr) == (0, "")
    results = {key for key in s3.keys("results") if "/results/" in key}
    s3.seen.clear()
    again = engine("archive", "submit", archive, *more, tmp_path / "elsewhere")
    assert (again.returncode, again.stderr) == (
        1,
        f"facestream: bad failed: {archive}/bad.mkv is not a video that FFmpeg can read\n",
    )
    written = {path.removeprefix("/results/") for method, path, _ in s3.seen if method == "PUT" and "/job/results/" in path}
    assert not written & results, "what was done is not done again"
    assert {key for key in s3.keys("results") if "/results/" in key} == results | written
    assert engine("archive", "fetch", TAPES, tmp_path / "fetched").returncode == 0
    single = alone(archive, tmp_path / "single", next((tmp_path / "elsewhere").glob("*/job/gallery.sqlite")))
    assert same_results(single, tmp_path / "fetched") == ""
    s3.seen.clear()
    told = engine("archive", "status", TAPES, "--work", tmp_path / "third").stderr
    copied = re.search("`facestream (.*)` drives it from here", told)
    assert copied, told
    assert engine(*shlex.split(copied[1]), "-q").returncode == 1
    assert not [path for method, path, _ in s3.seen if method == "PUT" and path.endswith(".tar")], "nothing is written twice"


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_an_object_that_changes_fails_alone_and_is_done_by_the_same_command(
    s3: S3Server, archive: Path, tmp_path: Path
) -> None:
    for key in ODD:
        s3.client.upload_file(str(archive / key), "footage", key)
    changed: list[str] = []

    def change(method: str, path: str, query: dict[str, str]) -> tuple[int, str] | None:
        if method == "HEAD" and path == "/footage/a b.mp4" and not changed:
            changed.append(path)
            Storage().replace(Place("footage", "a b.mp4"), io.BytesIO((archive / "ä/50%20.mp4").read_bytes()))
        return None

    command = ["archive", "submit", "s3://footage/", "--out", tmp_path / "out", "--workers", "1", "-q"]
    with s3.failing(change):
        first = engine(*command)
    words = "facestream: a_b failed: s3://footage/a b.mp4 has changed since it was listed: give the same command again\n"
    assert (first.returncode, first.stderr) == (1, words)
    second = engine(*command)
    assert (second.returncode, second.stderr) == (0, "")
