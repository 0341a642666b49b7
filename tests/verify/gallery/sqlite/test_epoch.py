"""Every score names exactly what it was compared with: also where a file is made anew or a copy is put over it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.contracts.gallery import GalleryVersion
from engine.verify.gallery.sqlite.epoch import beside
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.verify.vectors import SHA, add, vector


def now(path: Path, sha256: str = SHA) -> GalleryVersion:
    with Gallery(path, read_only=True) as gallery:
        found = gallery.snapshot(sha256).gallery
    assert found is not None
    return found


def copied(path: Path, to: Path) -> Path:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Gallery(tmp_path / "people.sqlite") as gallery:
        add(gallery, "ada", 1)
    return tmp_path / "people.sqlite"


def test_a_change_has_the_next_revision_of_the_same_epoch(path: Path) -> None:
    first = now(path)
    with Gallery(path) as gallery:
        add(gallery, "bob", 2)
    second = now(path)
    assert (first.revision, second.revision, second.epoch) == (1, 2, first.epoch)
    assert second.digest != first.digest
    assert len(first.epoch) == 16
    assert len(first.digest) == 32


def write_over(copy: Path, path: Path) -> None:
    path.write_bytes(copy.read_bytes())  # the same inode


def move_over(copy: Path, path: Path) -> None:
    shutil.copy(copy, copy.with_suffix(".again")).replace(path)


@pytest.mark.parametrize("put_back", [write_over, move_over])
def test_a_copy_that_is_put_over_the_file_begins_another_epoch(path: Path, tmp_path: Path, put_back) -> None:  # type: ignore[no-untyped-def]
    copy = copied(path, tmp_path / "copy")
    with Gallery(path) as gallery:
        add(gallery, "bob", 2)
    late = now(path)
    put_back(copy, path)
    for_readers = now(path)
    assert for_readers == now(path), "the same for all of them"
    assert for_readers.revision < late.revision
    with Gallery(path) as gallery:
        add(gallery, "cy", 3)  # has the number that bob had
    again = now(path)
    assert again.revision == late.revision
    assert len({late.epoch, for_readers.epoch, again.epoch}) == 3
    put_back(copy, path)
    with Gallery(path):
        assert now(path).epoch not in {late.epoch, for_readers.epoch, again.epoch}


def test_a_copy_elsewhere_is_another_gallery_and_a_moved_one_with_its_small_file_is_not(path: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    elsewhere = copied(path, tmp_path / "there/people.sqlite")
    assert now(elsewhere).epoch != now(path).epoch
    assert now(elsewhere).digest == now(path).digest
    shutil.copy(beside(path), beside(elsewhere))
    assert now(elsewhere) == now(path)


def test_a_gallery_of_an_earlier_version_is_settled_by_the_first_who_writes(path: Path) -> None:
    beside(path).unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE epochs")
    unsettled = now(path)
    assert unsettled == now(path)
    with Gallery(path) as gallery:
        add(gallery, "bob", 2)
        settled = now(path)
        add(gallery, "cy", 3)
    assert settled.epoch == now(path).epoch != unsettled.epoch


def test_the_digest_is_of_what_decides_and_of_nothing_else(tmp_path: Path) -> None:
    one, other = Gallery(tmp_path / "one"), Gallery(tmp_path / "other")
    for gallery, seeds in ((one, (1, 2, 3)), (other, (3, 1, 2))):
        for seed in seeds:
            add(gallery, f"person {seed % 2}", seed, quality=seed / 10)
        add(gallery, "of another embedder", 9 if gallery is one else 8, "b" * 64)

    def digest(gallery: Gallery) -> str:
        found = gallery.snapshot(SHA).gallery
        assert found is not None
        return found.digest

    first = digest(one)
    assert first == digest(other), "whoever was first"
    assert one.snapshot("b" * 64).gallery.digest != other.snapshot("b" * 64).gallery.digest  # type: ignore[union-attr]
    found = [first]
    one.rename("person 0", "Person 0")
    found.append(digest(one))
    one.keep_negatives("person 1", SHA, "run/door/1", [vector(5)])
    found.append(digest(one))
    add(one, "person 1", 7)
    found.append(digest(one))
    one.remove("person 1")
    found.append(digest(one))
    assert len(set(found)) == 5
    one.close()
    other.close()
