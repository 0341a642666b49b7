"""``facestream archive`` and object storage: what it refuses before anything is started, and ``fetch``."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from engine.jobs.places import JobAt, begin_at
from tests.cli.command import complains, here
from tests.servers.s3 import S3Server

TAPES = "s3://results/tapes"


@pytest.fixture
def tapes(s3: S3Server, tmp_path: Path) -> JobAt:
    """A job whose whole is there."""
    result = tmp_path / "made"
    (result / "faces" / "door" / "1").mkdir(parents=True)
    (result / "run.json").write_text('{"archive": {"content": "x"}}')
    (result / "faces" / "door" / "1" / "000001_original.jpg").write_bytes(b"face")
    out = JobAt(TAPES, tmp_path / "work")
    folder = begin_at(out, overwrite=False).folder
    folder.make()
    folder.publish(result)
    return out


@pytest.mark.usefixtures("tapes")
def test_a_result_is_fetched_to_a_new_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "deep" / "tapes"
    assert here(capsys, "archive", "fetch", TAPES, target).out == f"result: {target}\n"
    assert (target / "faces" / "door" / "1" / "000001_original.jpg").read_bytes() == b"face"
    assert target.stat().st_mode & 0o777 == 0o700
    complains(here(capsys, "archive", "fetch", TAPES, target), 2, "already holds a run", "--overwrite")
    (target / "faces" / "door" / "1" / "000001_original.jpg").unlink()
    assert here(capsys, "archive", "fetch", f"{TAPES}/", target, "--overwrite").code == 0
    assert (target / "faces" / "door" / "1" / "000001_original.jpg").read_bytes() == b"face"
    assert [path.name for path in target.parent.iterdir()] == ["tapes"]


@pytest.mark.usefixtures("tapes")
def test_what_is_no_result_is_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.jpg").write_text("x")
    for target in (tmp_path / "mine", tmp_path / "mine" / "holiday.jpg"):
        complains(
            here(capsys, "archive", "fetch", TAPES, target, "--overwrite"), 2, "holiday.jpg is there, which is not of a result"
        )
    assert (tmp_path / "mine" / "holiday.jpg").read_text() == "x"


@pytest.mark.usefixtures("tapes")
def test_what_breaks_while_it_is_fetched_leaves_nothing(
    s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.client.put_object(Bucket="results", Key="tapes/result.tar", Body=b"no tar")
    complains(here(capsys, "archive", "fetch", TAPES, tmp_path / "x" / "tapes"), 1, "is not what this program packs")
    assert not list((tmp_path / "x").iterdir())


def test_there_is_nothing_to_fetch(s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    complains(here(capsys, "archive", "fetch", TAPES, tmp_path / "t"), 2, f"there is no result at {TAPES}")
    begin_at(JobAt(TAPES, tmp_path / "work"), overwrite=False)
    complains(here(capsys, "archive", "fetch", TAPES, tmp_path / "t"), 2, "is not done", "goes on with it")
    complains(here(capsys, "archive", "fetch", "s3://nowhere/tapes", tmp_path / "t"), 1, "there is no bucket nowhere")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["s3://footage/none/", "--out", "{out}"], 2, "there is nothing at s3://footage/none/"),
        (["s3://nowhere/a.mp4", "--out", "{out}"], 1, "there is no bucket nowhere"),
        (["s3://nowhere/", "--out", "{out}"], 1, "there is no bucket nowhere: make it"),
        (["{a}", "--out", "s3://nowhere/x", "--work", "{out}"], 1, "there is no bucket nowhere: make it"),
        (["{a}", "--out", "s3://results/x", "--work", "{a}"], 2, "is not a directory"),
    ],
)
def test_what_is_refused(
    arguments: list[str], code: int, words: str, s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mkv").write_text("x")
    given = [one.format(out=tmp_path / "out", a=tmp_path / "a.mkv") for one in arguments]
    complains(here(capsys, "archive", "submit", *given), code, words)
    assert not (tmp_path / "out").exists()


def test_wrong_credentials_are_told_and_not_shown(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDWRONG")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    told = here(capsys, "archive", "submit", "s3://footage/", "--out", tmp_path / "out")
    complains(told, 1, "the credentials are not taken (InvalidAccessKeyId)", "~/.aws/credentials")
    assert "AKIDWRONG" not in told.err
    assert "wrong-secret" not in told.err


@pytest.mark.usefixtures("s3")
def test_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        told = here(capsys, "archive", "submit", "s3://footage/", "--out", tmp_path / "out", "--s3-endpoint", endpoint)
    complains(told, 1, "does not answer", "check network")


def test_status_and_retry_find_the_job(tapes: JobAt, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = ["--work", tmp_path / "work"]
    complains(here(capsys, "archive", "status", TAPES, *work), 2, "nobody has worked on s3://results/tapes yet")
    assert here(capsys, "archive", "retry", TAPES, *work).out == "There is nothing to try again.\n"
    complains(here(capsys, "archive", "status", TAPES, "--work", tmp_path / "other"), 2, "holds no job on this machine")
    complains(here(capsys, "archive", "status", "s3://results/none", *work), 2, "holds no job")
