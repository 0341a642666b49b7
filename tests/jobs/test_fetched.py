"""Objects as files of this machine."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest

from engine.contracts.stored import Place, Stored
from engine.errors import OutputError, SourceError, StorageError, WorkerError
from engine.jobs.fetched import fetched, forget_fetched
from engine.storage.s3 import Storage
from tests.patience import PATIENCE_SECONDS
from tests.servers.s3 import S3Server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"facestream-fetched-{os.getuid()}"


def put(key: str, content: bytes) -> Stored:
    place, storage = Place("footage", key), Storage()
    storage.replace(place, io.BytesIO(content))
    found = storage.look(place)
    assert found is not None
    return Stored(place, found.etag, found.size_bytes, found.modified_ns)


def gets(s3: S3Server) -> int:
    return sum(method == "GET" for method, _, _ in s3.seen)


@pytest.mark.parametrize("key", ["a.mp4", "../../etc/passwd", "a b%/..", "x.MKV", "é.mp4", "no_ending", "a.way-too-odd"])
def test_it_is_a_private_file_with_a_name_of_our_own(s3: S3Server, folder: Path, key: str) -> None:
    with fetched(put(key, b"frames"), Storage()) as path:
        assert path.read_bytes() == b"frames"
        assert path.parent == folder
        assert (path.suffix, path.stat().st_mode & 0o777) == (
            {"a.mp4": ".mp4", "x.MKV": ".mkv", "é.mp4": ".mp4"}.get(key, ""),
            0o600,
        )


def test_it_is_fetched_once_until_the_job_is_over(s3: S3Server, folder: Path) -> None:
    stored = put("a.mp4", b"frames")
    for _ in range(3):
        with fetched(stored, Storage()):
            pass
    assert gets(s3) == 1
    with fetched(stored, Storage()) as path:
        forget_fetched()
        assert path.exists(), "somebody reads it"
    forget_fetched()
    assert not list(folder.iterdir())


def test_what_a_kill_has_left_is_fetched_anew(s3: S3Server, folder: Path) -> None:
    stored = put("a.mp4", b"frames")
    with fetched(stored, Storage()) as path:
        pass
    path.write_bytes(b"fra")
    with fetched(stored, Storage()) as path:
        assert path.read_bytes() == b"frames"


def test_several_at_once_fetch_it_once(s3: S3Server, folder: Path) -> None:
    stored, read = put("a.mp4", bytes(3 << 20)), list[int]()

    def take() -> None:
        with fetched(stored, Storage()) as path:
            read.append(len(path.read_bytes()))

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert read == [3 << 20] * 6
    assert gets(s3) == 1


def test_who_waited_shares_it_while_others_still_read(s3: S3Server, folder: Path) -> None:
    """The first tasks of a recording on a machine do not wait for each other to end."""
    stored, together = put("a.mp4", bytes(1 << 20)), threading.Barrier(4)

    def take() -> None:
        with fetched(stored, Storage()):
            together.wait(PATIENCE_SECONDS)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert (together.broken, gets(s3)) == (False, 1)


def test_who_gives_up_waiting_takes_it_from_nobody(s3: S3Server, folder: Path) -> None:
    stored = put("a.mp4", b"frames")
    with fetched(stored, Storage()) as path:
        path.write_bytes(b"fra")  # as while it is fetched

        def stop() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), fetched(stored, Storage(), stop):
            pass
        assert path.exists()


def test_an_object_of_another_size_than_listed_is_told(s3: S3Server, folder: Path) -> None:
    stored = msgspec.structs.replace(put("a.mp4", b"frames"), size_bytes=7)
    with pytest.raises(SourceError, match="listed with 7 bytes, and 6 came"), fetched(stored, Storage()):
        pass
    assert not list(folder.iterdir())


def test_an_empty_one(s3: S3Server, folder: Path) -> None:
    with fetched(put("a.mp4", b""), Storage()) as path:
        assert path.read_bytes() == b""


def test_another_content_is_another_file(s3: S3Server, folder: Path) -> None:
    first = put("a.mp4", b"first")
    second = put("a.mp4", b"second")
    with pytest.raises(SourceError, match="has changed since it was listed"), fetched(first, Storage()):
        pass
    with fetched(second, Storage()) as path:
        assert path.read_bytes() == b"second"
    Storage().delete([second.place])
    with pytest.raises(SourceError, match="is not there any more"), fetched(second, Storage()):
        pass


def test_what_was_used_longest_ago_makes_room(s3: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 1000

    def usage(where: object) -> object:
        used = sum(path.stat().st_size for path in folder.iterdir())
        return type("Usage", (), {"free": room - used})()

    monkeypatch.setattr(shutil, "disk_usage", usage)
    paths = []
    for number, size in enumerate((200, 200, 200)):
        with fetched(put(f"{number}.mp4", bytes(size)), Storage()) as path:
            paths.append(path)
            os.utime(path, (number, number))
    assert [path.exists() for path in paths] == [False, True, True]
    with (
        fetched(put("1.mp4", bytes(200)), Storage()),
        pytest.raises(WorkerError, match=r"has no room for s3://footage/large\.mp4 \(501 bytes"),
        fetched(put("large.mp4", bytes(501)), Storage()),
    ):
        pass


def test_a_disk_that_is_full_is_told_and_leaves_nothing(s3: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stored = put("a.mp4", b"frames")
    monkeypatch.setattr(Storage, "fetch", full)
    with (
        pytest.raises(WorkerError, match=r"cannot be fetched to .*No space left on device.*: set TMPDIR"),
        fetched(stored, Storage()),
    ):
        pass
    assert not list(folder.iterdir())


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "InvalidAccessKeyId"])
def test_a_machine_that_may_read_nothing_is_not_taken_for_a_bad_recording(s3: S3Server, folder: Path, code: str) -> None:
    stored = put("a.mp4", b"frames")
    with s3.failing(lambda *request: (403, code)), pytest.raises(StorageError), fetched(stored, Storage()):
        pass
    denied = s3.failing(lambda *request: (403, "AccessDenied"))
    with denied, pytest.raises(SourceError, match="may not be read"), fetched(stored, Storage()):
        pass


def test_a_folder_that_others_may_write_is_not_used(s3: S3Server, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(OutputError, match="is not private to this user"), fetched(put("a.mp4", b"x"), Storage()):
        pass
