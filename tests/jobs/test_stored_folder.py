"""A job whose results are in object storage: what one machine has done another one knows."""

from __future__ import annotations

import errno
import json
import os
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from engine.config import Config
from engine.contracts.stored import Place
from engine.errors import ConfigError, OutputError, PublishError, StorageError
from engine.jobs.archive import Asked, _begin
from engine.jobs.job_file import JobFile
from engine.jobs.job_folder import GALLERY, JOB, JobFolder
from engine.jobs.messages import Ended
from engine.jobs.places import JobAt, begin_at
from engine.jobs.stored_folder import StoredAt, StoredFolder
from engine.jobs.worker import About, ArchiveWorker
from engine.lock import DirectoryLock
from engine.storage.s3 import Storage
from tests.jobs.fake_work import task
from tests.servers.s3 import S3Server


@pytest.fixture
def here(s3: S3Server, tmp_path: Path) -> JobFolder:
    return begun(tmp_path / "here")


@pytest.fixture
def there(here: JobFolder, tmp_path: Path) -> JobFolder:
    """The same job on another machine."""
    return begun(tmp_path / "there")


def begun(work: Path, where: str = "s3://results/tapes", *, overwrite: bool = False) -> JobFolder:
    folder = begin_at(JobAt(where, work), overwrite=overwrite).folder
    folder.make()
    return folder


def leave(folder: JobFolder, key: str, words: str) -> bool:
    place = folder.new_place(f"{key}-{words}")
    (place / "said").write_text(words)
    return folder.keep(key, place)


def test_a_result_is_there_once_for_all_machines(here: JobFolder, there: JobFolder, s3: S3Server) -> None:
    assert not here.has("a")
    assert leave(here, "a", "first")
    assert not leave(there, "a", "second")
    for folder in (here, there):
        assert folder.has("a")
        assert folder.done() == {"a"}
        assert (folder.result("a") / "said").read_text() == "first"
        assert not list(folder.unfinished.iterdir())
    assert s3.keys("results") == ["tapes/job/results/a.tar", "tapes/job/token"]


def test_it_is_read_back_once(here: JobFolder, there: JobFolder, s3: S3Server) -> None:
    leave(there, "a", "x")
    assert here.result("a") == here.result("a")
    here.done()
    here.result("a")
    assert sum(method == "GET" and path.endswith("a.tar") for method, path, _ in s3.seen) == 1


def test_what_was_tried_again_elsewhere_is_read_anew(here: JobFolder, there: JobFolder) -> None:
    leave(here, "a", "failed")
    here.result("a")
    there.discard("a")
    assert here.done() == set()
    leave(there, "a", "better")
    here.done()
    assert (here.result("a") / "said").read_text() == "better"


def test_what_was_packed_badly_is_told(here: JobFolder, s3: S3Server) -> None:
    s3.client.put_object(Bucket="results", Key="tapes/job/results/a.tar", Body=b"no tar")
    with pytest.raises(PublishError, match=r"s3://results/tapes/job/results/a.tar is not what this program packs"):
        here.result("a")


def test_the_first_gallery_counts(here: JobFolder, there: JobFolder) -> None:
    for folder, people in ((here, "ada"), (there, "bob")):
        made = folder.unfinished / GALLERY
        made.write_text(people)
        folder.share(GALLERY, made)
    assert [(folder.directory / GALLERY).read_text() for folder in (here, there)] == ["ada", "ada"]


def test_a_machine_that_comes_later_has_what_it_needs(here: JobFolder, tmp_path: Path) -> None:
    (here.unfinished / GALLERY).write_text("ada")
    here.share(GALLERY, here.unfinished / GALLERY)
    here.write(JOB, Ended("done"))
    later = here.again()()
    assert isinstance(later, StoredFolder)
    other = StoredFolder(tmp_path / "later", later.at)
    other.prepare()
    other.bring(JOB)
    assert (other.directory / GALLERY).read_text() == "ada"
    assert (other.directory / JOB).read_bytes() == (here.directory / JOB).read_bytes()


def test_to_begin_anew_leaves_other_jobs_alone(here: JobFolder, s3: S3Server, tmp_path: Path) -> None:
    leave(here, "a", "x")
    leave(begun(tmp_path / "here", "s3://results/tapes2"), "b", "y")
    s3.client.put_object(Bucket="results", Key="tapes/holiday.mp4", Body=b"mine")
    anew = begun(tmp_path / "here", overwrite=True)
    assert anew.done() == set()
    assert anew.directory != here.directory
    assert not here.directory.exists()
    assert s3.keys("results") == ["tapes/holiday.mp4", "tapes/job/token", "tapes2/job/results/b.tar", "tapes2/job/token"]
    with closing(DirectoryLock(anew.directory)), pytest.raises(PublishError, match="another run is writing"):
        begun(tmp_path / "here", overwrite=True)


def test_to_begin_anew_leaves_what_no_job_has_written(s3: S3Server, tmp_path: Path) -> None:
    """Somebody may keep recordings under a name that ends in /job/."""
    mine = ["tapes/job/holiday.mp4", "tapes/job/results/a/b.tar", "tapes/job/results/c.mp4"]
    for key in mine:
        s3.client.put_object(Bucket="results", Key=key, Body=b"mine")
    folder = begun(tmp_path)
    leave(folder, "a", "x")
    (folder.unfinished / GALLERY).write_text("ada")
    folder.share(GALLERY, folder.unfinished / GALLERY)
    folder.write(JOB, Ended("done"))
    begun(tmp_path, overwrite=True)
    assert s3.keys("results") == sorted([*mine, "tapes/job/token"])


@pytest.mark.parametrize("code", [(403, "AccessDenied"), (501, "NotImplemented")])
def test_who_may_not_look_for_what_was_left_begins_all_the_same(s3: S3Server, tmp_path: Path, code: tuple[int, str]) -> None:
    with s3.failing(lambda method, path, query: code if "uploads" in query else None):
        assert begun(tmp_path).done() == set()


def test_a_storage_that_takes_no_heed_of_conditions_keeps_its_job(s3: S3Server, tmp_path: Path) -> None:
    s3.deaf_to = {"HTTP_IF_NONE_MATCH"}
    here = begun(tmp_path / "here")
    leave(here, "a", "first")
    there = begun(tmp_path / "there")
    assert not leave(there, "a", "second")
    assert here.token() == there.token()
    assert (there.result("a") / "said").read_text() == "first"


def test_a_disk_that_is_full_is_told(here: JobFolder, there: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(here, "a", "x")

    def full(*arguments: object, **options: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Storage, "fetch", full)
    with pytest.raises(OutputError, match="No space left on device: make room there, or choose another --work"):
        there.result("a")
    assert not (there.results / "a").exists()


@pytest.mark.parametrize(
    "where", ["s3://results", "s3://results/", "s3://results/a b/ä%/..", "s3://results/tapes/", "s3://results//x"]
)
def test_places(s3: S3Server, tmp_path: Path, where: str) -> None:
    folder = begun(tmp_path, where)
    leave(folder, "a", "x")
    assert folder.done() == {"a"}
    prefix = where.removeprefix("s3://results/").rstrip("/").removeprefix("s3://results")
    below = f"{prefix}/job" if prefix else "job"
    assert s3.keys("results") == [f"{below}/results/a.tar", f"{below}/token"]
    assert folder.directory.parent.parent == tmp_path


def test_what_stands_there_is_no_job(s3: S3Server, tmp_path: Path) -> None:
    s3.client.put_object(Bucket="results", Key="tapes/job/token", Body=b"../../etc")
    with pytest.raises(PublishError, match="is not of a job"):
        begun(tmp_path)
    assert begun(tmp_path, overwrite=True).done() == set()


def test_the_whole_is_written_where_it_is_another(here: JobFolder, s3: S3Server, tmp_path: Path) -> None:
    result = tmp_path / "result"
    result.mkdir()
    for content, puts in (("one", 1), ("one", 1), ("two", 2)):
        (result / "run.json").write_text(json.dumps({"archive": {"content": content}}))
        here.publish(result)
        assert sum(method == "PUT" and path.endswith("result.tar") for method, path, _ in s3.seen) == puts


def test_a_worker_leaves_its_result_there(here: JobFolder, there: JobFolder, s3: S3Server) -> None:
    worker = ArchiveWorker(here.again()(), 1.0)
    about = msgspec.json.decode(worker.about(), type=About)
    assert (about.token, about.problem) == (there.identify(), "")
    for _ in range(2):
        (ended,) = msgspec.json.decode(worker.do(msgspec.json.encode([task("a")])), type=list[Ended])
        assert ended == Ended("done")
    assert there.done() == {"a"}
    with s3.failing(lambda method, path, query: (403, "AccessDenied") if method == "PUT" else None):
        (ended,) = msgspec.json.decode(worker.do(msgspec.json.encode([task("b")])), type=list[Ended])
    assert ended.outcome == "fatal"
    assert "lack the right" in ended.reason
    worker.close()


@pytest.mark.parametrize(("status", "code", "may_pass"), [(503, "SlowDown", True), (403, "InvalidAccessKeyId", False)])
def test_a_worker_says_whether_what_it_lacks_may_pass(
    here: JobFolder, s3: S3Server, status: int, code: str, *, may_pass: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = here.again()()
    monkeypatch.setattr(folder, "_storage", Storage(attempts=1))
    worker = ArchiveWorker(folder, 1.0)
    with s3.failing(lambda *request: (status, code)):
        about = msgspec.json.decode(worker.about(), type=About)
    assert (bool(about.problem), about.may_pass) == (True, may_pass)
    assert msgspec.json.decode(worker.about(), type=About).problem == ""
    worker.close()


def test_a_worker_without_a_way_says_why(s3: S3Server, tmp_path: Path) -> None:
    at = StoredAt(Place("nowhere", "tapes"))
    worker = ArchiveWorker(StoredFolder(tmp_path / "job", at), 1.0)
    about = msgspec.json.decode(worker.about(), type=About)
    assert about.token == ""
    with pytest.raises(StorageError, match="there is no bucket nowhere"):
        begun(tmp_path, "s3://nowhere/tapes")


def test_other_settings_are_refused_with_the_place_that_was_given(here: JobFolder, tmp_path: Path) -> None:
    asked = Asked(["tape.mp4"], JobAt("s3://results/tapes", tmp_path / "here"), Config())
    _begin(here, JobFile({}, {"detect": {"every": 1}}, {}, 300.0, []), asked)
    with pytest.raises(ConfigError, match=r"^s3://results/tapes was begun with detect\.every = 1, now it is 2: "):
        _begin(here, JobFile({}, {"detect": {"every": 2}}, {}, 300.0, []), asked)
