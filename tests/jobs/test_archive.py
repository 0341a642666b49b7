"""An archive on a cluster of real nodes, over which everything dies once: the result is that of one machine."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import zmq

from engine.config import Config, PublishConfig
from engine.jobs import archive
from engine.jobs.places import JobAt
from engine.sample.clip import render_sample
from tests.jobs.nodes import nodes
from tests.jobs.same import same_results
from tests.jobs.submission import KINDS, Submission, kill_one
from tests.patience import until

pytest.importorskip("ray")


def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end."""
    return subprocess.run([sys.executable, "-m", "engine", *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_whatever_dies_the_result_is_that_of_one_machine(tmp_path: Path) -> None:
    tapes, out = tmp_path / "archive", tmp_path / "out"
    for number in range(3):
        render_sample(tapes / f"clip-{number}.mp4", seconds=1.0, seed=number, size_px=(320, 240))
    (tapes / "bad.mkv").write_text("no video")
    chance = random.Random(1)
    with nodes(2) as cluster:
        submission = Submission([f"{tapes}/*.m[pk][4v]"], out, cluster.address)
        until(lambda: submission.begun, "a task that somebody is at work on")
        for kind in KINDS:  # a task and a worker are there now; each death makes what is left last longer
            assert kill_one(kind, cluster, submission, chance), f"{kind}: {submission.said}"
        assert submission.wait(300) == 1, submission.said
    sentence = f"facestream: bad failed: {tapes}/bad.mkv is not a video that FFmpeg can read\n"
    assert submission.said == sentence
    for said in submission.said_by_the_killed:  # each command says what has failed, if it lives to see it
        assert said in ("", sentence)
    single = tmp_path / "single"
    config = tmp_path / "config.yaml"
    config.write_text(f"verify: {{gallery: {out}/job/gallery.sqlite}}\n")
    run = engine("run", str(config), "-q", "--source", f"{tapes}/*.m[pk][4v]", "--out", str(single))
    assert run.returncode == 1, run.stderr
    assert same_results(single, out / "result") == ""
    status = engine("archive", "status", str(out), "--json")
    told = json.loads(status.stdout)
    assert (told["phase"], told["recordings"], told["recordings_done"], told["recordings_failed"]) == ("done", 4, 3, 1)
    assert status.returncode == 1


def test_an_endpoint_of_the_settings_may_be_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive opens none: the service that has it goes on."""

    class Begun(Exception):
        pass

    def begin(*_: object, **__: object) -> None:
        raise Begun

    monkeypatch.setattr(archive, "begin_at", begin)
    (tmp_path / "clip.mp4").touch()
    with zmq.Context() as context, context.socket(zmq.PUB) as taken:
        port = taken.bind_to_random_port("tcp://127.0.0.1")
        config = Config(publish=PublishConfig(endpoint=f"tcp://127.0.0.1:{port}"))
        with pytest.raises(Begun):
            archive.submit_job(archive.Asked([f"{tmp_path}/clip.mp4"], JobAt(str(tmp_path / "out")), config), print, print)
