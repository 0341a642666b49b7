"""Where a job is, and the commands that speak of it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine.config import Config
from engine.errors import UsageError
from engine.jobs.archive import Asked, retry_job, standing_of
from engine.jobs.job_file import JobFile
from engine.jobs.job_folder import JOB
from engine.jobs.places import JobAt, begin_at, found_at
from tests.servers.s3 import S3Server

STORED = JobAt("s3://results/all tapes/50%", Path("work"), "https://minio.example.org:9000")


def test_a_command_says_where_the_job_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert STORED.command("status") == (
        "facestream archive status 's3://results/all tapes/50%' --s3-endpoint https://minio.example.org:9000 "
        f"--work {tmp_path}/work"
    )
    assert STORED.command("fetch", "tapes") == (
        "facestream archive fetch 's3://results/all tapes/50%' tapes --s3-endpoint https://minio.example.org:9000"
    )
    assert JobAt("tapes").command("retry") == f"facestream archive retry {tmp_path}/tapes"
    assert JobAt("s3://results/x").command("submit", "a b.mp4") == "facestream archive submit 'a b.mp4' --out s3://results/x"


def test_the_command_that_goes_on_goes_on_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = ["cellar/*.mkv", "s3://footage/day=1/", "/a b.mp4", "~/c.mp4"]
    asked = Asked(sources, STORED, Config(), "auto", 3, segment_seconds=20.5, config_file=Path("thorough.yaml"))
    words = shlex.split(asked.command)
    assert words[:3] == ["facestream", "archive", "submit"]
    assert words[3:7] == [f"{tmp_path}/cellar/*.mkv", "s3://footage/day=1/", "/a b.mp4", str(Path.home() / "c.mp4")]
    options = dict(zip(words[7::2], words[8::2], strict=True))
    assert options == {
        "--config": f"{tmp_path}/thorough.yaml",
        "--address": "auto",
        "--workers": "3",
        "--segment-seconds": "20.5",
        "--out": "s3://results/all tapes/50%",
        "--s3-endpoint": "https://minio.example.org:9000",
        "--work": f"{tmp_path}/work",
    }
    assert (
        Asked(["a.mp4"], JobAt("out"), Config()).command == f"facestream archive submit {tmp_path}/a.mp4 --out {tmp_path}/out"
    )
    assert Asked([f"{number}.mp4" for number in range(1000)], JobAt("out"), Config()).command == ""


def test_a_job_that_is_not_there_has_no_place(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "job" / "attempts").mkdir(parents=True)
    out = JobAt("s3://results/tapes", tmp_path, s3.url)
    begins = f"RECORDINGS --out s3://results/tapes --s3-endpoint {s3.url} --work {tmp_path}` begins"
    for ask in (found_at, standing_of, retry_job):
        with pytest.raises(UsageError, match=begins):
            ask(out)


def test_a_job_that_is_driven_elsewhere(s3: S3Server, tmp_path: Path) -> None:
    out = JobAt("s3://results/tapes", tmp_path / "here")
    folder = begin_at(out, overwrite=False).folder
    other = JobAt("s3://results/tapes", tmp_path / "there")
    with pytest.raises(UsageError, match=r"holds no job on this machine .--work.: .* the command that began it drives it from"):
        found_at(other)
    folder.make()
    command = "facestream archive submit s3://footage/ --out s3://results/tapes"
    folder.write(JOB, JobFile({}, {}, {}, 300.0, ["a"], command))
    with pytest.raises(UsageError, match=f"`{command}` drives it from here"):
        found_at(other)
    with pytest.raises(UsageError, match=f"nothing has been processed in s3://results/tapes yet: `{command}` continues it"):
        standing_of(out)
