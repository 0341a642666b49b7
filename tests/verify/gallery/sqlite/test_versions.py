"""Galleries of earlier and later versions."""

import sqlite3

import numpy as np
import pytest

from engine.errors import GalleryError
from engine.verify.gallery.opening import gallery_to_follow
from engine.verify.gallery.records import unrecorded
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.verify.vectors import RUNTIME, SHA, add, vector


def as_of_an_earlier_version(gallery):
    """Close it, and take out what format 1 did not have."""
    gallery.close()
    database = sqlite3.connect(gallery.path)
    for column in ("runtime", "doubt"):
        database.execute(f"ALTER TABLE pictures DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 1")
    database.close()
    return gallery.path


@pytest.mark.parametrize("read_only", [True, False])
def test_a_gallery_of_an_earlier_version_is_read_compared_and_told_of(gallery, tmp_path, read_only):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2)
    path = as_of_an_earlier_version(gallery)
    before = path.read_bytes()
    for _ in range(2):
        with Gallery(path, read_only=read_only) as opened:
            names, matrix = opened.templates(SHA)
            assert names == ["ada", "bob"]
            np.testing.assert_array_equal(matrix, np.stack([vector(1), vector(2)]))
            assert [person.unrecorded for person in opened.list()] == [1, 1]
            assert unrecorded(opened.list()).startswith("ada, bob: enrolled by an earlier version")
            assert opened.holder(f"{1:064d}", SHA) == ("ada", "")
            assert opened.export(tmp_path / "people.csv") == 2
            if read_only:
                with pytest.raises(GalleryError, match="cannot be used"):
                    add(opened, "cy", 3)
    assert (path.read_bytes() == before) == read_only


def test_an_unrecorded_vector_is_replaced_by_the_same_picture_of_the_same_person(gallery):
    add(gallery, "ada", 1)
    with Gallery(as_of_an_earlier_version(gallery)) as opened:
        with pytest.raises(GalleryError, match="enrolled already"):
            add(opened, "bob", 1)
        add(opened, "ada", 1)
        assert opened.holder(f"{1:064d}", SHA) == ("ada", RUNTIME)
        assert [(person.name, person.pictures, person.unrecorded) for person in opened.list()] == [("ada", 1, 0)]
        with pytest.raises(GalleryError, match="enrolled already"):
            add(opened, "ada", 1)


def test_a_newer_format_is_refused(gallery):
    gallery.close()
    database = sqlite3.connect(gallery.path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(GalleryError, match="format 9"):
        Gallery(gallery.path)


@pytest.fixture
def older(tmp_path):
    """A gallery as format 1 had it: no doubts, and names as they were typed."""
    path = tmp_path / "older.sqlite"
    database = sqlite3.connect(path)
    database.executescript(
        """PRAGMA journal_mode = WAL; CREATE TABLE state (version INTEGER NOT NULL); INSERT INTO state VALUES (3);
        CREATE TABLE pictures (id INTEGER PRIMARY KEY, identity TEXT NOT NULL CHECK (identity <> ''), embedder TEXT NOT NULL,
        embedder_sha256 TEXT NOT NULL, embedding BLOB NOT NULL, source_name TEXT NOT NULL, picture_sha256 TEXT NOT NULL,
        quality REAL NOT NULL, enrolled_at TEXT NOT NULL, UNIQUE (picture_sha256, embedder_sha256));
        PRAGMA application_id = 1718842471; PRAGMA user_version = 1;"""
    )
    for seed, name in enumerate(("Jos\u00e9", "Jose\u0301", "Ada  Lovelace")):
        row = (name, "dlib", SHA, vector(seed).tobytes(), "a.jpg", str(seed), 0.5, "2026-01-01T00:00:00+00:00")
        database.execute(
            "INSERT INTO pictures (identity, embedder, embedder_sha256, embedding, source_name, picture_sha256, quality,"
            " enrolled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    database.commit()
    database.close()
    return path


def test_a_run_leaves_an_older_gallery_to_the_facestream_that_wrote_it(older):
    before = older.read_bytes()
    people = gallery_to_follow(str(older)).follow(SHA).news()
    assert people is not None
    assert people.names == ["Ada Lovelace", "Jos\u00e9", "Jos\u00e9"]
    assert older.read_bytes() == before


def test_a_reader_takes_an_older_gallery_as_it_is(older, tmp_path):
    before = older.read_bytes()
    with Gallery(older, read_only=True) as gallery:
        assert [(person.name, person.pictures) for person in gallery.list()] == [("Ada Lovelace", 1), ("Jos\u00e9", 2)]
        assert gallery.templates(SHA)[0] == ["Ada Lovelace", "Jos\u00e9", "Jos\u00e9"]
        assert gallery.export(tmp_path / "people.jsonl") == 3
        assert gallery.version() == 3
    assert older.read_bytes() == before


def test_a_writer_brings_an_older_gallery_to_the_new_format(older):
    with Gallery(older) as gallery:
        assert gallery.version() == 4  # readers look again
        assert [(person.name, person.pictures) for person in gallery.list()] == [("Ada Lovelace", 1), ("Jos\u00e9", 2)]
        assert gallery.remove("Jose\u0301").total == 2
    with Gallery(older) as again, Gallery(older, read_only=True) as reader:
        assert again.version() == reader.version() == 5
        assert [person.name for person in reader.list()] == ["Ada Lovelace"]
