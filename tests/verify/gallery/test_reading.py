"""Whoever follows a gallery has after each change what a reader of the whole has, and read only what has changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import GalleryError
from engine.verify.gallery import leaf as leaf_module
from engine.verify.gallery.leaf import Gone, Leaf, Row, Rows, changed, leaves_of
from engine.verify.gallery.opening import gallery_file, open_gallery
from engine.verify.gallery.postgres.cache import CacheFile
from engine.verify.gallery.postgres.follow import bring_up_to_date
from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.sqlite import log
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.gallery.stored import StoredGallery
from engine.verify.gallery.tables import GalleryTables
from tests.verify.vectors import SHA, add, vector

NAMES = [f"person {number}" for number in range(12)]
OTHER = "b" * 64
_EXAMPLES = count()


@pytest.fixture(autouse=True)
def small_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaf_module, "PEOPLE", 3)


def told(leaf: Leaf) -> tuple[Any, ...]:
    numbers = sorted(zip(leaf.names, leaf.numbers.tolist(), strict=True))
    return leaf.first, numbers, leaf.matrix.tobytes(), leaf.digest, leaf.negative_rows, leaf.others, leaf.length


def assert_same(now: Snapshot, anew: Snapshot) -> None:
    assert now.gallery == anew.gallery
    assert [told(leaf) for leaf in now.leaves] == [told(leaf) for leaf in anew.leaves]
    assert (now.names, now.other_embedder) == (anew.names, anew.other_embedder)


KINDS = st.sampled_from(("pictures", "negatives", "others", ""))
ONE_CHANGE = st.lists(st.tuples(KINDS, st.sampled_from(NAMES), st.integers(0, 40)), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ONE_CHANGE, max_size=8))
def test_leaves_after_a_change_are_those_that_would_be_made_anew(changes: list[list[tuple[str, str, int]]]) -> None:
    there: dict[int, tuple[str, Row]] = {0: ("pictures", Row("person 3", vector(0).tobytes(), 0))}

    def rows(numbers: Any) -> Rows:
        found = [there[number] for number in numbers if number in there]
        return Rows(*([row for table, row in sorted(found) if table == kind] for kind in Rows._fields))

    leaves: Any = tuple(leaves_of(rows(there)))
    for change in changes:
        for table, name, number in change:
            there.pop(number, None)
            if table:
                there[number] = table, Row(name, b"" if table == "others" else vector(number % 9).tobytes(), number)
        touched = {number for *_, number in change}
        leaves = changed(leaves, Gone(touched, touched), rows(touched))
        anew = tuple(leaves_of(rows(there)))
        leaves = anew if leaves is None else leaves
        assert [told(leaf) for leaf in leaves] == [told(leaf) for leaf in anew]


def change(gallery: StoredGallery, what: str, name: str, seed: int) -> None:
    """Do one thing of those that people do; what cannot be done is refused."""
    pictures = [one for one in gallery.pictures(name) if one.embedder_sha256 == SHA]
    apart = gallery.quarantined()
    key = {"embedder": "dlib", "runtime": "x", "source_name": "", "quality": 0.5, "picture_sha256": f"{seed:064d}"}
    match what:
        case "add" | "apart":
            gallery.add(name, vector(seed), embedder_sha256=SHA, apart=what == "apart", doubt="", **key)  # type: ignore[arg-type]
        case "other":
            gallery.add(name, vector(seed), embedder_sha256=OTHER, **key)  # type: ignore[arg-type]
        case "remove":
            gallery.remove(name)
        case "picture" if pictures:
            gallery.remove_picture(name, pictures[0].picture_sha256)
        case "rename":
            gallery.rename(name, NAMES[seed % len(NAMES)], join=True)
        case "negative":
            gallery.keep_negatives(name, SHA, "run/door/1", [vector(seed)])
        case "release" if apart:
            gallery.release(apart[0].picture_sha256, apart[0].identity)
        case "drop" if apart:
            gallery.drop(apart[0].picture_sha256, apart[0].identity)


WHATS = ("add", "add", "add", "apart", "other", "remove", "picture", "rename", "negative", "release", "drop")


@contextmanager
def followed(gallery: StoredGallery, folder: Path) -> Iterator[GalleryTables]:
    """What a follower reads: the file, or what a machine keeps of the database."""
    if gallery_file(gallery.where) is not None:
        yield gallery.tables
        return
    with closing(CacheFile(folder / "cache.sqlite")) as cache:
        bring_up_to_date(gallery.tables, cache)  # type: ignore[arg-type]
        yield cache


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(WHATS), st.sampled_from(NAMES), st.integers(0, 15)), min_size=8, max_size=20))
def test_after_each_change_a_follower_has_what_a_reader_of_the_whole_has(
    where: str, tmp_path: Path, changes: list[tuple[str, str, int]]
) -> None:
    number = next(_EXAMPLES)
    folder = tmp_path / str(number)
    mine = str(folder / "people.sqlite") if gallery_file(where) else f"{where}n{number}"
    reading = GalleryReading(SHA)
    with open_gallery(mine) as gallery:
        for what, name, seed in changes:
            try:
                change(gallery, what, name, seed)
            except GalleryError:
                continue
            with followed(gallery, folder) as tables:
                assert_same(reading.read(tables), gallery.snapshot(SHA))


def test_a_change_makes_only_the_leaf_anew_that_it_is_in(each_gallery: StoredGallery, tmp_path: Path) -> None:
    reading = GalleryReading(SHA)
    for seed in range(40):
        add(each_gallery, f"person {seed}", seed)
    with followed(each_gallery, tmp_path) as tables:
        before = reading.read(tables).leaves
    each_gallery.remove("person 7")
    with followed(each_gallery, tmp_path) as tables:
        after = reading.read(tables).leaves
    assert len(before) > 6
    assert len(set(after) - set(before)) == 1


def by_hand(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


HAND = (
    "DELETE FROM pictures WHERE identity = 'ada'",
    "UPDATE pictures SET identity = 'zoe' WHERE identity = 'ada'",
    "UPDATE pictures SET id = 77 WHERE identity = 'ada'",
    "UPDATE OR REPLACE pictures SET picture_sha256 = (SELECT picture_sha256 FROM pictures WHERE identity = 'bob')"
    " WHERE identity = 'ada'",
    "REPLACE INTO pictures SELECT 99, 'cy', embedder, embedder_sha256, embedding, source_name, picture_sha256, quality,"
    " enrolled_at, runtime, doubt FROM pictures WHERE identity = 'ada'",
    "REPLACE INTO pictures SELECT id, 'cy', embedder, embedder_sha256, embedding, source_name, 'another', quality,"
    " enrolled_at, runtime, doubt FROM pictures WHERE identity = 'ada'",
    "INSERT OR REPLACE INTO negatives SELECT 5, identity, embedder_sha256, embedding, source, marked_at FROM negatives",
    "DROP TRIGGER pictures_gone",
    "DROP TABLE touched",
)


@pytest.mark.parametrize("statement", HAND)
def test_it_holds_whoever_wrote_the_file(gallery: Gallery, statement: str) -> None:
    for seed, name in enumerate(("ada", "bob", "cy", "dora")):
        add(gallery, name, seed)
    gallery.keep_negatives("ada", SHA, "run/door/1", [vector(9)])
    reading = GalleryReading(SHA)
    reading.read(gallery.tables)
    if statement.startswith("DROP TABLE"):
        with closing(sqlite3.connect(gallery.path)) as database, database:
            for name in [*log._TRIGGERS]:
                database.execute(f"DROP TRIGGER {name}")
    by_hand(gallery.path, statement)
    by_hand(gallery.path, "DELETE FROM pictures WHERE identity = 'dora'")
    with Gallery(gallery.path, read_only=True) as opened:
        assert_same(reading.read(opened.tables), opened.snapshot(SHA))
    with Gallery(gallery.path) as writer, Gallery(gallery.path, read_only=True) as opened:  # makes the log whole again
        assert_same(reading.read(opened.tables), opened.snapshot(SHA))
        add(writer, "eve", 5)
        assert_same(reading.read(opened.tables), opened.snapshot(SHA))


def test_a_copy_that_is_put_back_and_changed_is_read_as_a_whole(tmp_path: Path) -> None:
    path, kept = tmp_path / "people.sqlite", tmp_path / "kept"
    reading = GalleryReading(SHA)
    with Gallery(path) as gallery:
        add(gallery, "ada", 1)
    shutil.copytree(tmp_path, kept)
    for names in (("bob",), ("cy", "dora")):  # as many changes and more, but others
        for file in kept.iterdir():
            shutil.copy(file, tmp_path / file.name)
        with Gallery(path) as gallery:
            for seed, name in enumerate(names, 2):
                add(gallery, name, seed)
            assert_same(reading.read(gallery.tables), gallery.snapshot(SHA))


def test_who_comes_later_than_the_log_reaches_back_reads_the_whole(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_KEPT", 4)
    reading = GalleryReading(SHA)
    add(gallery, "ada", 1)
    reading.read(gallery.tables)
    for seed in range(2, 9):
        add(gallery, f"person {seed}", seed)
    ((entries,),) = gallery.tables.rows("SELECT count(*) FROM touched")
    assert entries == 4
    assert_same(reading.read(gallery.tables), gallery.snapshot(SHA))


def test_a_log_that_nobody_has_shortened_is_not_read_row_by_row(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions before the log only add to it, by its triggers; SQLite takes so many numbers in a query, and no more."""
    reading = GalleryReading(SHA)
    add(gallery, "ada", 1)
    reading.read(gallery.tables)
    mark = gallery.tables.mark()
    assert mark is not None
    monkeypatch.setattr(log, "_KEPT", 2)
    by_hand(gallery.path, "UPDATE pictures SET quality = 0.25")
    assert gallery.tables.touched(mark) == {"pictures": {1}, "negatives": set()}
    for _ in range(2):
        by_hand(gallery.path, "UPDATE pictures SET quality = 0.75")
    assert gallery.tables.touched(mark) is None
    assert_same(reading.read(gallery.tables), gallery.snapshot(SHA))


def test_a_failed_reading_is_made_good_by_the_next(gallery: Gallery) -> None:
    reading = GalleryReading(SHA)
    add(gallery, "ada", 1)
    reading.read(gallery.tables)
    by_hand(gallery.path, "UPDATE pictures SET embedding = x'00'")
    with pytest.raises(GalleryError, match="damaged"):
        reading.read(gallery.tables)
    gallery.remove("ada")
    add(gallery, "bob", 2)
    assert_same(reading.read(gallery.tables), gallery.snapshot(SHA))
    np.testing.assert_array_equal(reading.read(gallery.tables).matrix, vector(2)[None])
