"""``facestream archive`` and object storage: what it refuses before anything is started, and ``fetch``."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from engine import lock
from engine.errors import ConfigError, PublishError
from engine.jobs.fetching import fetch_result
from engine.jobs.job_file import JobFile
from engine.jobs.job_folder import JOB
from engine.jobs.places import JobAt, begin_at
from tests.cli.command import complains, here
from tests.patience import PATIENCE_SECONDS
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
            here(capsys, "archive", "fetch", TAPES, target, "--overwrite"), 2, "holiday.jpg exists, and is not part of a result"
        )
    assert (tmp_path / "mine" / "holiday.jpg").read_text() == "x"


FACE = Path("faces", "door", "1", "000001_original.jpg")


def test_of_several_at_once_one_fetches(tapes: JobAt, tmp_path: Path) -> None:
    target, begin, ended = tmp_path / "there" / "tapes", threading.Barrier(4), list[str]()

    def fetch() -> None:
        begin.wait(PATIENCE_SECONDS)
        try:
            fetch_result(tapes, target, overwrite=False)
            ended.append("fetched")
        except (ConfigError, PublishError):
            ended.append("refused")

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sorted(ended) == ["fetched", *["refused"] * 3]
    assert (target / FACE).read_bytes() == b"face"
    assert [path.name for path in target.parent.iterdir()] == ["tapes"]


@pytest.mark.usefixtures("tapes")
def test_who_comes_while_another_one_fetches_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.0)
    target = tmp_path / "tapes"
    with lock.alone_with(tmp_path / ".fetching-tapes.lock"):
        complains(here(capsys, "archive", "fetch", TAPES, target), 1, f"another command is fetching to {target} now")
    target.mkdir()
    with closing(lock.DirectoryLock(target)):
        complains(here(capsys, "archive", "fetch", TAPES, target), 1, f"another run is writing to {target} now")
    assert not list(target.iterdir())


@pytest.mark.usefixtures("tapes")
def test_what_a_killed_one_has_left_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "there" / ("t" * 240)
    for left in (f".fetching-{'t' * 40}", f".replaced-{'t' * 240}"):
        (tmp_path / "there" / left).mkdir(parents=True)
        (tmp_path / "there" / left / "half").write_text("x")
    (tmp_path / "there" / f".fetching-{'t' * 40}.lock").touch()
    assert here(capsys, "archive", "fetch", TAPES, target).code == 0
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert not (target / "half").exists()


@pytest.mark.usefixtures("tapes")
def test_what_comes_there_meanwhile_stays(s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "tapes"

    def write(method: str, path: str, query: dict[str, str]) -> None:
        if method == "GET" and path.endswith("result.tar"):
            target.mkdir()
            (target / "mine.txt").write_text("x")

    with s3.failing(write):
        complains(here(capsys, "archive", "fetch", TAPES, target, "--overwrite"), 2, "mine.txt exists")
    assert [path.name for path in target.iterdir()] == ["mine.txt"]


@pytest.mark.usefixtures("tapes")
def test_a_link_to_another_disk_is_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "tapes"
    link.symlink_to(tmp_path / "disk" / "tapes")
    for more in ([], ["--overwrite"]):
        assert here(capsys, "archive", "fetch", TAPES, link, *more).code == 0
        assert link.is_symlink()
        assert (tmp_path / "disk" / "tapes" / FACE).read_bytes() == b"face"


@pytest.mark.usefixtures("tapes")
def test_no_run_gets_another_one_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(capsys, "archive", "fetch", TAPES, tmp_path / "tapes").code == 0
    (tmp_path / "tapes" / "faces.jsonl").touch()
    complains(here(capsys, "archive", "fetch", TAPES, tmp_path / "tapes" / "b"), 2, "lies inside the run's directory")


def test_a_job_that_goes_on_is_told(tapes: JobAt, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = begin_at(tapes, overwrite=False).folder
    folder.write(JOB, JobFile({}, {}, {}, 300.0, ["door", "yard"], "facestream archive submit s3://footage/ --out s3://x"))
    told = here(capsys, "archive", "fetch", TAPES, tmp_path / "one")
    assert told.code == 0
    assert told.err == (
        "facestream: note: this result has 0 recordings, and the job was last given 2: fetch it again when that is done "
        "(`facestream archive submit s3://footage/ --out s3://x` continues it)\n"
    )
    begin_at(tapes, overwrite=True)
    told = here(capsys, "archive", "fetch", TAPES, tmp_path / "two")
    assert told.err == (
        "facestream: note: the job was begun anew since this result was made: fetch it again when that is done\n"
    )


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
    complains(here(capsys, "archive", "fetch", TAPES, tmp_path / "t"), 2, "is not done", "continues it")
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
    complains(here(capsys, "archive", "status", TAPES, *work), 2, "nothing has been processed in s3://results/tapes yet")
    assert here(capsys, "archive", "retry", TAPES, *work).out == "There is nothing to try again.\n"
    complains(here(capsys, "archive", "status", TAPES, "--work", tmp_path / "other"), 2, "holds no job on this machine")
    complains(here(capsys, "archive", "status", "s3://results/none", *work), 2, "holds no job")
