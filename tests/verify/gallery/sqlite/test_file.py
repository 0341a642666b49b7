"""Files and folders that are not a gallery, are damaged, or may not be written."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.errors import GalleryError, MissingGalleryError
from engine.privacy.erasure import erase
from engine.verify.gallery.opening import gallery_to_follow, open_gallery
from engine.verify.gallery.sqlite.file import GalleryFile
from engine.verify.gallery.sqlite.gallery import Gallery, default_gallery_path
from tests.verify.vectors import SHA, add


def test_what_is_not_a_gallery_is_refused_untouched(tmp_path):
    text = tmp_path / "notes.sqlite"
    text.write_text("not a database, but long enough to look at: " * 40)
    with pytest.raises(GalleryError, match="not a database"):
        Gallery(text)
    foreign = tmp_path / "foreign.sqlite"
    database = sqlite3.connect(foreign)
    database.execute("CREATE TABLE state (version)")
    database.commit()
    database.close()
    before = foreign.read_bytes()
    with pytest.raises(GalleryError, match="not a gallery of facestream"):
        Gallery(foreign)
    assert foreign.read_bytes() == before


def test_a_truncated_gallery_is_an_error_not_an_empty_one(gallery):
    for seed in range(30):
        add(gallery, f"person-{seed}", seed, length=512)
    gallery.close()
    content = gallery.path.read_bytes()
    gallery.path.write_bytes(content[: len(content) // 3 // 4096 * 4096])
    with pytest.raises(GalleryError, match="restore it"), Gallery(gallery.path) as damaged:
        damaged.templates(SHA)


def test_paths_that_cannot_be_a_gallery(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match="cannot open the gallery"):
        Gallery(tmp_path / "file" / "people.sqlite")
    with pytest.raises(GalleryError, match="cannot open the gallery"):
        Gallery(tmp_path)
    with pytest.raises(GalleryError, match="enrol someone first"):
        Gallery(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_what_is_there_and_is_no_file_is_not_said_to_be_missing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_bytes(b"")
    for read_only in (True, False):
        for place, says in ((tmp_path, "it is a folder"), (tmp_path / "pipe", "a pipe"), ("/dev/null", "a device")):
            with pytest.raises(GalleryError, match=says):
                Gallery(Path(place), read_only=read_only)
    with pytest.raises(MissingGalleryError, match=r"there is nothing in the gallery .*: enrol someone first"):
        Gallery(tmp_path / "empty", read_only=True)
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(GalleryError, match="choose a file"):
            erase(("Ann",), gallery=str(place), dry_run=True)
    Gallery(tmp_path / "empty").close()
    Gallery(tmp_path / "empty", read_only=True).close()


def test_a_reader_cannot_write(gallery):
    with Gallery(gallery.path, read_only=True) as reader, pytest.raises(GalleryError, match="permissions"):
        add(reader, "ada", 1)
    assert gallery.version() == 0


@pytest.fixture
def closed_folder(tmp_path, monkeypatch):
    """A folder that may not be written to, for those too who are allowed everything."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not (mode & os.W_OK and path == tmp_path) and access(path, mode))

    def refuse(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("engine.verify.gallery.sqlite.file.os.open", refuse)
    return tmp_path


def test_a_gallery_in_a_closed_folder_can_be_read_by_a_run(tmp_path, request):
    path = tmp_path / "people.sqlite"
    with Gallery(path) as gallery:
        add(gallery, "ada", 1)
    request.getfixturevalue("closed_folder")
    gallery_to_follow(str(path))
    with open_gallery(str(path), read_only=True) as gallery:
        assert [person.name for person in gallery.list()] == ["ada"]
        with pytest.raises(GalleryError, match="readonly"):
            gallery.remove("ada")
    assert {file.name for file in tmp_path.iterdir()} == {"people.sqlite", "people.sqlite-epoch"}  # a log would have to be made
    with pytest.raises(GalleryError, match="Permission denied"):
        gallery_to_follow(str(tmp_path / "other.sqlite"))


def test_a_new_gallery_is_private_and_in_wal_mode(gallery):
    assert gallery.path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(gallery.path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    other.close()


def test_the_default_is_in_the_users_own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_gallery_path() == tmp_path / "data" / "facestream" / "gallery.sqlite"
    with open_gallery("") as gallery:
        assert gallery.path == default_gallery_path()
    with open_gallery(str(tmp_path / "other.sqlite")) as gallery:
        assert gallery.path == tmp_path / "other.sqlite"


def test_a_run_makes_a_gallery_where_there_is_none(tmp_path):
    people = gallery_to_follow(str(tmp_path / "new" / "g.sqlite")).follow(SHA).news()
    assert people is not None
    assert people.names == []


def test_a_full_disk_is_no_reason_to_restore_a_copy(tmp_path):
    gallery = GalleryFile(tmp_path / "g.sqlite", read_only=False)
    with pytest.raises(GalleryError, match=r"is full.*: make room on its disk"), gallery.errors():
        raise sqlite3.OperationalError("database or disk is full")
    with pytest.raises(GalleryError, match=r"disk I/O.*: check that its disk has room"), gallery.errors():
        raise sqlite3.OperationalError("disk I/O error")
    gallery.close()


def damaged(gallery, damage):
    add(gallery, "ann", 1)
    gallery.close()
    with closing(sqlite3.connect(gallery.path)) as database:
        database.execute(damage)
        database.commit()


DAMAGED = "holds damaged rows: restore it from a copy, or choose another file"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pictures SET identity = x'ff00'",
        "UPDATE pictures SET quality = 'high'",
        "UPDATE pictures SET embedding = 'hello'",
        "UPDATE pictures SET enrolled_at = x'00'",
        "UPDATE pictures SET doubt = x''",
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_rows_that_no_version_has_written_are_told_by_what_reads_them(gallery, tmp_path, damage, read_only):
    damaged(gallery, damage)
    told: list[GalleryError] = []
    with Gallery(gallery.path, read_only=read_only) as opened:
        for read in (
            opened.list,
            opened.pictures,
            opened.people,
            lambda: opened.templates(SHA),
            lambda: opened.export(tmp_path / "out.jsonl", embeddings=True),
        ):
            try:
                read()
            except GalleryError as error:
                told.append(error)
    assert told
    assert all(DAMAGED in str(error) for error in told)


@pytest.mark.parametrize("damage", ["DELETE FROM state", "INSERT INTO state VALUES (1)", "UPDATE state SET version = 'two'"])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_gallery_that_cannot_be_counted_is_not_opened(gallery, damage, read_only):
    damaged(gallery, damage)
    with pytest.raises(GalleryError, match=DAMAGED):
        Gallery(gallery.path, read_only=read_only)


def test_opening_reads_no_pictures(gallery):
    damaged(gallery, "UPDATE pictures SET quality = 'high'")
    with closing(Gallery(gallery.path, read_only=True)) as opened, pytest.raises(GalleryError, match=DAMAGED):
        opened.list()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e10, 0.0])
def test_vectors_that_are_no_longer_of_length_1_are_told(gallery, value):
    add(gallery, "ann", 1)
    add(gallery, "bob", 2)
    gallery.close()
    with closing(sqlite3.connect(gallery.path)) as database:
        ((length,),) = database.execute("SELECT length(embedding) / 4 FROM pictures WHERE identity = 'bob'").fetchall()
        vector = np.full(length, value, "<f4").tobytes()
        database.execute("UPDATE pictures SET embedding = ? WHERE identity = 'bob'", (vector,))
        database.commit()
    with Gallery(gallery.path) as damaged, pytest.raises(GalleryError, match="holds damaged vectors: restore it from a copy"):
        damaged.templates(SHA)
