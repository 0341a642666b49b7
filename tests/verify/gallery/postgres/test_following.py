"""What each machine keeps of a gallery in a database is what the database holds, change by change."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GalleryError
from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.cache import CacheFile
from engine.verify.gallery.postgres.follow import bring_up_to_date
from engine.verify.gallery.postgres.gallery import PostgresGallery
from engine.verify.gallery.postgres.tables import PostgresTables
from engine.verify.gallery.reading import read_snapshot
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.gallery.stored import StoredGallery
from tests.patience import until
from tests.servers.postgres import PostgresServer
from tests.verify.vectors import RUNTIME, SHA, add, vector


def test_a_change_is_pushed_to_every_machine_and_all_have_the_same_version(store: PostgresGallery, follow, tmp_path) -> None:  # type: ignore[no-untyped-def]
    add(store, "ada", 1)
    machines = [follow(store.where, f"machine{number}") for number in range(3)]
    with Gallery(tmp_path / "file.sqlite") as file:
        for change in (
            None,
            lambda each: add(each, "bob", 2),
            lambda each: each.rename("bob", "Bo"),
            lambda each: each.remove("ada"),
        ):
            if change is None:
                add(file, "ada", 1)
            else:
                change(store)
                change(file)
            said = [until(one.news).gallery for one in machines]
            assert set(said) == {store.snapshot(SHA).gallery}
            assert said[0].digest == file.snapshot(SHA).gallery.digest, "the same people in a file"  # type: ignore[union-attr]
    assert [one.news() for one in machines] == [None] * 3


class Counting(PostgresTables):
    """Counts the rows that come over the network."""

    come = 0

    def rows(self, statement, values=()):  # type: ignore[no-untyped-def]
        found = super().rows(statement, values)
        self.come += len(found)
        return found

    def each(self, statement):  # type: ignore[no-untyped-def]
        for row in super().each(statement):
            self.come += 1
            yield row


@pytest.fixture
def tables(database: str, store: PostgresGallery):  # type: ignore[no-untyped-def]
    with closing(Counting(address_of(database), read_only=True)) as opened:
        yield opened


def test_only_what_has_changed_is_read_again(store: PostgresGallery, tables: Counting, tmp_path: Path) -> None:
    for number in range(60):
        add(store, f"person {number % 20}", number)
    with closing(CacheFile(tmp_path / "kept.sqlite")) as cache:
        for change, most in (
            (lambda: None, 70),
            (lambda: add(store, "new", 100), 8),
            (lambda: store.rename("person 1", "Person"), 12),
            (lambda: store.remove("person 2"), 12),
            (lambda: store.keep_negatives("new", SHA, "run/door/1", [vector(7)]), 8),
            (lambda: None, 4),
        ):
            change()
            tables.come = 0
            bring_up_to_date(tables, cache)
            assert tables.come <= most
            assert read_snapshot(cache, SHA).gallery == store.snapshot(SHA).gallery
    assert tmp_path.joinpath("kept.sqlite").stat().st_mode & 0o077 == 0
    assert vector(2).tobytes() not in tmp_path.joinpath("kept.sqlite").read_bytes(), "who was removed is overwritten here too"


@pytest.mark.parametrize(
    "lost", ["DELETE FROM pictures WHERE id % 2 = 0", "UPDATE pictures SET identity = 'x'", "DELETE FROM origin"]
)
def test_a_cache_that_lacks_something_is_found_out_and_read_anew(store, tables, tmp_path, lost) -> None:  # type: ignore[no-untyped-def]
    for number in range(10):
        add(store, f"person {number}", number)
    with closing(CacheFile(tmp_path / "kept.sqlite")) as cache:
        bring_up_to_date(tables, cache)
        cache.execute(lost)
        store.remove("person 1")  # a change that touches what is amiss, or all of it is read anyway
        store.rename("person 3", "Person")
        for number in range(10):
            store.rename(f"person {number}", f"P{number}")
        bring_up_to_date(tables, cache)
        assert read_snapshot(cache, SHA).gallery == store.snapshot(SHA).gallery


def test_rows_that_were_changed_behind_the_triggers_are_said(store, tables, tmp_path, server: PostgresServer) -> None:  # type: ignore[no-untyped-def]
    add(store, "ada", 1)
    store.tables.execute("RESET ROLE")
    store.tables.execute("SET session_replication_role = replica")
    store.tables.execute("UPDATE gallery.pictures SET identity = 'eve' WHERE tenant = ?", (store.tables.address.tenant,))
    with closing(CacheFile(tmp_path / "kept.sqlite")) as cache, pytest.raises(GalleryError, match="is damaged"):
        bring_up_to_date(tables, cache)


def changed_at_random(gallery: StoredGallery, choose: random.Random) -> None:
    """Do one thing that people do."""
    name, other, seed = f"p{choose.randrange(5)}", f"p{choose.randrange(5)}", choose.randrange(40)
    one = {
        "embedder": "dlib", "embedder_sha256": choose.choice((SHA, "b" * 64)), "runtime": choose.choice((RUNTIME, "")),
        "source_name": "", "picture_sha256": f"{seed:064d}", "quality": 0.5,
    }  # fmt: skip
    match choose.randrange(8):
        case 0 | 1 | 2:
            gallery.add(name, vector(seed), **one)  # type: ignore[arg-type]
        case 3:
            gallery.add(name, vector(seed), **one, doubt=f"looks like {other} (cosine 0.9)", apart=True)  # type: ignore[arg-type]
        case 4:
            gallery.release(f"{seed:064d}", name)
        case 5:
            gallery.rename(name, other, join=True)
        case 6:
            gallery.remove(name)
        case _:
            if any(person.name == name for person in gallery.list()):
                gallery.keep_negatives(name, SHA, "run/door/1", [vector(seed)])


_TENANT = iter(range(10**6))


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_whatever_is_done_the_cache_the_database_and_a_file_are_equal(
    server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder, choose = tmp_path_factory.mktemp("random"), random.Random(seed)
    address = address_of(f"{server.url}?tenant=random{next(_TENANT)}")
    with (
        PostgresGallery(address, folder) as store,
        Gallery(folder / "file.sqlite") as file,
        closing(CacheFile(folder / "kept.sqlite")) as cache,
        closing(PostgresTables(address, read_only=True)) as tables,
    ):
        for _ in range(30):
            before, said = choose.getstate(), []
            for each in (store, file):
                choose.setstate(before)
                try:
                    changed_at_random(each, choose)
                    said.append("")
                except GalleryError as error:
                    said.append(str(error).replace(each.where, ""))
            assert said[0] == said[1] or all("enrolled already" in one for one in said)
            if choose.random() < 0.3:
                bring_up_to_date(tables, cache)
        bring_up_to_date(tables, cache)
        for sha256 in (SHA, "b" * 64):
            one, other, kept = store.snapshot(sha256), file.snapshot(sha256), read_snapshot(cache, sha256)
            assert one.gallery == kept.gallery
            assert one.gallery is not None
            assert other.gallery is not None
            assert (one.version, one.gallery.digest) == (other.version, other.gallery.digest)
            assert one.other_embedder == other.other_embedder == kept.other_embedder
        for listed in ("list", "negatives", "quarantined", "pictures"):
            one, other = (getattr(gallery, listed)() for gallery in (store, file))
            timeless = [str(found).replace("T", " ") for found in (one, other)]
            assert len(one) == len(other), timeless


def test_who_is_removed_is_gone_from_this_machine_too(store: PostgresGallery, follow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    add(store, "ada", 1)
    add(store, "bob", 2)
    with closing(follow(store.where)) as news:
        assert until(news.news).gallery == store.snapshot(SHA).gallery
    kept = address_of(store.where).cache(tmp_path / "kept")
    store.remove("ada")
    with closing(CacheFile(kept, read_only=True)) as cache:
        assert cache.rows("SELECT identity FROM pictures") == [("bob",)]
    assert all(vector(1).tobytes() not in file.read_bytes() for file in kept.parent.iterdir())
    kept.write_bytes(b"none of SQLite" * 100)
    store.remove("bob")
    assert not list(kept.parent.iterdir())
