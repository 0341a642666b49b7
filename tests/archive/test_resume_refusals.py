"""Directories that a run does not go on with, and says why."""

import shutil

import pytest

from engine.archive.resume import plan_resume, reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import ConfigError, PublishError
from tests.archive.jobs import CONFIG, VERSIONS, Job, attempt, plan, recordings_of, run_of
from tests.archive.outcomes import cut_somewhere

pytestmark = pytest.mark.usefixtures("every_checkpoint_is_written")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"run_id": "x"}'])
def test_a_directory_without_a_usable_record_is_one_sentence(tmp_path, content):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 1, 8)
    (directory / "run.json").unlink()
    if content is not None:
        (directory / "run.json").write_text(content)
    with pytest.raises(PublishError, match=r"start over with --overwrite|was not written by a run"):
        plan(directory, job)


def test_a_directory_in_use_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 0.1)
    job = Job.random(5, tmp_path)
    sink = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), run_of("run1", job))
    for call in (
        lambda: plan(tmp_path / "out", job),
        lambda: reopen(tmp_path / "out"),
        lambda: DirectorySink(OutputConfig(directory=str(tmp_path / "out")), {"run_id": "x"}, overwrite=True),
    ):
        with pytest.raises(PublishError, match="another run is writing to"):
            call()
    sink.close("drained")
    assert plan(tmp_path / "out", job) is not None


def test_a_new_run_does_not_wait_for_the_end_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 3600.0)
    job, output = Job.random(5, tmp_path), OutputConfig(directory=str(tmp_path / "out"))
    sink = DirectorySink(output, run_of("run1", job))
    with pytest.raises(PublishError, match="another run is writing to"):
        DirectorySink(output, run_of("run2", job))
    sink.close("drained")


def test_a_directory_that_changed_after_the_plan_is_refused(tmp_path):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 1, 8)
    stale = plan(directory, job)
    attempt(directory, job, 2)
    whole = {path: path.read_bytes() for path in directory.glob("*.jsonl")}
    with pytest.raises(PublishError, match=r"has changed since it was read \(.*faces.jsonl"):
        DirectorySink(OutputConfig(directory=str(directory)), run_of("x", job), resume=stale)
    assert {path: path.read_bytes() for path in directory.glob("*.jsonl")} == whole
    assert plan(directory, job) is not None


def test_another_job_is_refused_and_nothing_is_touched(tmp_path):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 1, 20)
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    with pytest.raises(ConfigError, match=r"was begun with detect.every = 1, now it is 2"):
        plan_resume(directory, {"config": CONFIG | {"detect": {"every": 2}}, "versions": VERSIONS}, recordings_of(job))
    job.recordings["rec0"].write_bytes(b"x" * 1000)
    with pytest.raises(ConfigError, match=r"rec0.mp4 \(stream rec0\) has changed its content"):
        plan(directory, job)
    assert {path.name: path.read_bytes() for path in directory.glob("*.*")} == {
        path.name: path.read_bytes() for path in copy.glob("*.*")
    }


def test_another_model_is_refused(tmp_path):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    workers = {"enhance-1": {"generator": "g", "generator_sha256": "ab" * 32}}
    sink = DirectorySink(OutputConfig(directory=str(directory)), run_of("run1", job) | {"workers": workers})
    sink._close_files()
    other = {"enhance-1": {"generator": "g", "generator_sha256": "cd" * 32}}
    with pytest.raises(ConfigError, match=r"another generator model \(SHA-256 abababababab, now cdcdcdcdcdcd\)"):
        DirectorySink(
            OutputConfig(directory=str(directory)), run_of("run2", job) | {"workers": other}, resume=plan(directory, job)
        )
