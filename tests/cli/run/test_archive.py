"""``facestream archive``: what it says, and what it refuses before anything is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.run.archive_view import archive_view
from engine.cli.run.archive_words import long_time, one_line, summary, video_hours
from engine.jobs.attempts import Attempt, Attempts
from engine.jobs.job_folder import FOLDER, JobFolder
from engine.jobs.standing import Bad, Standing
from engine.lock import DirectoryLock
from tests.cli.command import complains, here


def standing(**changes: object) -> Standing:
    """Return a job that goes on."""
    fields: dict[str, object] = {
        "phase": "working",
        "recordings": 1200,
        "recordings_done": 30,
        "recordings_failed": 0,
        "recordings_set_aside": 0,
        "video_seconds": 5000 * 3600.0,
        "video_seconds_done": 90 * 60.0,
        "tasks": 60_000,
        "tasks_done": 100,
        "tasks_running": 2,
        "attempts_repeated": 0,
        "workers": 2,
        "seconds": 600.0,
        "times_real_time": 9.04,
        "seconds_left": 100_000.0,
    }
    return Standing(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.6, "1 min"),
        (90.0, "1 min 30 s"),
        (750.0, "12 min"),
        (3600.0, "1 h"),
        (12_000.0, "3 h 20 min"),
        (190_800.0, "2 d 5 h"),
    ],
)
def test_times_as_somebody_says_them(seconds: float, words: str) -> None:
    assert long_time(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(40.0, "40 s"), (840.0, "14 min"), (11_520.0, "3.2 h"), (4_464_000.0, "1,240 h")]
)
def test_hours_of_video(seconds: float, words: str) -> None:
    assert video_hours(seconds) == words


def test_a_line_says_how_much_is_done_how_fast_and_how_long_it_takes() -> None:
    assert one_line(standing()) == (
        "30 of 1,200 recordings, 1.5 h of 5,000 h of video, 9.04 times real time, 2 workers, about 1 d 3 h left"
    )
    assert one_line(standing(phase="finishing", recordings_failed=1, recordings_set_aside=2, times_real_time=None)) == (
        "33 of 1,200 recordings, 1.5 h of 5,000 h of video, 1 failed, 2 set aside, 2 workers, finishing 2 tasks"
    )
    assert summary(standing(phase="done")) == "30 of 1,200 recordings, 1.5 h of 5,000 h of video; this took 10 min"


def test_what_fails_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    bad = [Bad("door", "set_aside", "2 processes died of it"), Bad("a\x1bb", "failed", "it is not a video")]
    with archive_view(json=False, quiet=True) as show:
        show(standing(bad=bad[:1]))
        show(standing(bad=bad))
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "facestream: door was set aside: 2 processes died of it",
        "facestream: a\\x1bb failed: it is not a video",
    ]
    assert said.out == ""


def test_programs_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with archive_view(json=True, quiet=False) as show:
        show(standing())
        show(standing(phase="done"))
    assert [json.loads(line)["phase"] for line in capsys.readouterr().out.splitlines()] == ["working", "done"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "--out", "out"], "SOURCES is missing"),
        (["submit", "nowhere.mkv", "--out", "out"], "nowhere.mkv does not exist"),
        (["submit", "rtsp://192.0.2.1/1", "--out", "out"], "not cameras"),
        (["submit", "s3://me:secret@bucket/a.mkv", "--out", "out"], "credentials do not belong in an address"),
        (["submit", "a.mkv", "--out", "s3://me:secret@bucket/out"], "credentials do not belong in an address"),
        (["submit", "a.mkv", "--out", "s3:/bucket/out"], "write s3://BUCKET/NAME"),
        (["submit", "a.mkv", "--out", "s3://results/x", "--s3-endpoint", "http://me:secret@host"], "holds credentials"),
        (["submit", "a.mkv", "--out", "s3://results/x", "--s3-endpoint", "host:9000"], "is not a URL"),
        (["submit", "a.mkv", "--out", "out", "--work", "work"], "--work is for results in object storage"),
        (["fetch", "tapes", "out"], "is not in object storage"),
        (["submit", "a.mkv", "--out", "out", "--workers", "0"], "--workers 0 must be 1 or more"),
        (["submit", "a.mkv", "--out", "out", "--segment-seconds", "0"], "--segment-seconds is 0"),
        (["submit", "a.mkv", "--out", "out", "--segment-seconds", "nan"], "--segment-seconds is nan"),
        (["submit", "empty.txt", "--out", "out"], "the list empty.txt is empty"),
        (["submit", "none.txt", "--out", "out"], "the list none.txt cannot be read"),
        (["submit", "a.mkv", "--out", "run"], "run already holds a run"),
        (["status", "out"], "holds no job"),
        (["retry", "out"], "holds no job"),
    ],
)
def test_what_is_refused(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mkv").write_text("x")
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    told = here(capsys, "archive", *arguments)
    complains(told, 2, words)
    assert "secret" not in told.err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def job(tmp_path: Path) -> JobFolder:
    """A job of which one recording was set aside, and that nobody works on."""
    folder = JobFolder(tmp_path / "tapes" / FOLDER)
    folder.make()
    folder.tell(standing(phase="stopped", bad=[Bad("door", "set_aside", "2 processes died of it")]))
    folder.write_attempts("key", Attempts("door", [Attempt("died", "x")] * 2))
    folder.write_attempts("other", Attempts("yard", [Attempt("lost", "x")]))
    return folder


def test_status_says_that_nobody_works_on_it(job: JobFolder, capsys: pytest.CaptureFixture[str]) -> None:
    told = here(capsys, "archive", "status", job.directory.parent)
    assert told.code == 1
    assert told.out.splitlines()[1:] == [
        "door was set aside: 2 processes died of it",
        "Nothing is working on it now: the command that began it continues it.",
    ]


def test_what_was_set_aside_is_tried_again_and_nothing_else(job: JobFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(capsys, "archive", "retry", job.directory.parent).out == "1 to be tried again: door\n"
    assert set(job.read_attempts()) == {"other"}
    assert here(capsys, "archive", "retry", job.directory.parent).out == "There is nothing to try again.\n"


def test_two_do_not_work_on_one_job(job: JobFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mkv").write_text("x")
    lock = DirectoryLock(job.directory)
    complains(
        here(capsys, "archive", "submit", tmp_path / "a.mkv", "--out", tmp_path / "tapes"), 1, "another run is writing to"
    )
    complains(here(capsys, "archive", "retry", tmp_path / "tapes"), 1, "another run is writing to")
    assert here(capsys, "archive", "status", tmp_path / "tapes", "--json").out.startswith('{"driven":true')
    lock.close()
