"""A database that is away: names go on, it is said since when, and who was removed goes with the next contact."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from types import SimpleNamespace

import pytest

from engine.config import Config
from engine.config.verify import VerifyConfig
from engine.errors import GalleryError
from engine.pipeline.preflight import check_before
from engine.verify.gallery.opening import gallery_to_follow
from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.cache import CacheFile
from engine.verify.gallery.postgres.gallery import PostgresGallery, PostgresToFollow
from engine.verify.verifier import Verifier
from tests.patience import until
from tests.servers.postgres import PostgresServer, require_postgres
from tests.verify.enrolled import enrol, face, score
from tests.verify.faces import PEOPLE
from tests.verify.vectors import SHA, add


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    require_postgres()
    with PostgresServer() as started:
        yield started


def away(news) -> str:  # type: ignore[no-untyped-def]
    """Return what is said while the database is away."""

    def said() -> str:
        try:
            news.news()
        except GalleryError as error:
            return str(error)
        return ""

    return until(said)


def test_names_go_on_while_the_database_is_away_and_a_removal_comes_with_the_next_contact(own, follow, tmp_path, embedder):  # type: ignore[no-untyped-def]
    address = address_of(own.url)
    with PostgresGallery(address, tmp_path / "admin") as store:
        enrol(store, embedder, "zoe", PEOPLE[0])
        enrol(store, embedder, "bob", PEOPLE[1])
        exactly = store.snapshot(embedder.sha256).gallery
    first = Verifier(embedder, PostgresToFollow(address, tmp_path / "node"), VerifyConfig(min_faces=1))
    assert score(first, [face(PEOPLE[0])])[0].candidates[0].identity == "zoe"
    own.stop(kill=True)
    sentence = until(lambda: (first.refresh(), first.gallery_fault)[1])
    assert "; names are as of 20" in sentence
    assert "from this machine's copy" in sentence

    # A process that begins now.
    second = Verifier(embedder, PostgresToFollow(address, tmp_path / "node"), VerifyConfig(min_faces=1))
    scored = score(second, [face(PEOPLE[0])])[0]
    assert (scored.candidates[0].identity, scored.gallery) == ("zoe", exactly)
    assert "from this machine's copy" in until(lambda: (second.refresh(), second.gallery_fault)[1])

    own.start()
    with PostgresGallery(address, tmp_path / "admin") as store:
        store.remove("zoe")
        now = store.snapshot(embedder.sha256).gallery
    for verifier in (first, second):
        until(lambda verifier=verifier: (verifier.refresh(), verifier.gallery == now)[1])
        assert any(one.endswith("is read again") for one in verifier.take_news())
        assert [one.identity for one in score(verifier, [face(PEOPLE[0])])[0].candidates] == ["bob"]
        verifier.close()
    (kept,) = (tmp_path / "node").glob("gallery-*.sqlite")
    assert b"zoe" not in kept.read_bytes()


def test_what_was_said_to_be_done_outlives_a_crash_of_the_server(own, tmp_path):  # type: ignore[no-untyped-def]
    with PostgresGallery(address_of(own.url), tmp_path) as store:
        for number in range(5):
            add(store, f"person {number}", number)
        store.remove("person 3")
        before = store.snapshot(SHA).gallery
        own.kill()
        with pytest.raises(GalleryError, match="cannot be used"):
            add(store, "late", 9)
    own.start()
    with PostgresGallery(address_of(own.url), tmp_path) as store:
        assert store.snapshot(SHA).gallery == before
        add(store, "late", 9)
        assert store.version() == 7


def test_without_a_cache_it_is_an_error_in_time_and_names_the_place(own, follow, tmp_path):  # type: ignore[no-untyped-def]
    own.stop()
    began = time.monotonic()
    with pytest.raises(GalleryError, match=rf"127.0.0.1:{own.port}.*check that the server runs"):
        follow(own.url).news()
    assert time.monotonic() - began < 10


def test_nobody_is_named_by_a_cache_that_is_older_than_is_allowed(own, follow, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    with PostgresGallery(address_of(own.url), tmp_path) as store:
        add(store, "ada", 1)
        news = follow(own.url, max_age=3600.0)
        assert news.news().names == ["ada"]
    own.stop(kill=True)
    assert "from this machine's copy" in away(news)
    with monkeypatch.context() as patch:
        later = SimpleNamespace(time_ns=lambda: time.time_ns() + 2 * 3600 * 10**9)
        patch.setattr("engine.verify.gallery.postgres.news.time", later)
        found = until(lambda: _quietly(news))
        assert found.names == []
        assert found.gallery is None
        assert "nobody is named" in away(news)
    own.start()
    assert until(lambda: _quietly(news)).names == ["ada"]


def _quietly(news):  # type: ignore[no-untyped-def]
    with suppress(GalleryError):
        return news.news()
    return None


def test_a_cache_that_is_damaged_is_made_anew_and_one_that_cannot_be_is_done_without(store, follow, tmp_path, caplog):  # type: ignore[no-untyped-def]
    add(store, "ada", 1)
    news = follow(store.where)
    assert news.news().names == ["ada"]
    news.close()
    (kept,) = (tmp_path / "kept").glob("*.sqlite")
    kept.write_bytes(b"not a database, but long enough to look at" * 100)
    again = follow(store.where)
    assert again.news().names == ["ada"]
    assert "keeps no copy" in caplog.text
    add(store, "bob", 2)
    assert until(again.news).names == ["ada", "bob"]
    with closing(CacheFile(kept, read_only=True)) as cache:
        assert cache.state()[1] == 2
    (tmp_path / "nowhere").write_text("a file where the folder should be")
    without = follow(store.where, "nowhere")
    assert without.news().names == ["ada", "bob"]
    store.remove("ada")
    assert until(without.news).names == ["bob"]


def test_a_gallery_that_was_put_back_from_a_dump_is_read_anew(store, follow, tmp_path):  # type: ignore[no-untyped-def]
    add(store, "ada", 1)
    news = follow(store.where)
    before = news.news().gallery
    store.tables.execute("RESET ROLE")
    store.tables.execute("CREATE TABLE gallery.state_again AS TABLE gallery.state")
    store.tables.execute("UPDATE gallery.state SET epoch = 'another' WHERE tenant = ?", (store.tables.address.tenant,))
    store.tables.execute("DROP TABLE gallery.state_again")
    store.tables.execute("SET ROLE facestream_gallery")
    add(store, "bob", 2)
    after = until(news.news).gallery
    assert (before.epoch == after.epoch, after.revision) == (False, 2)
    assert after == store.snapshot(SHA).gallery


def test_a_run_may_begin_with_a_cache_and_says_so(own, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    config = Config(verify=VerifyConfig(gallery=own.url))
    said: list[str] = []
    with closing(gallery_to_follow(own.url).follow(SHA)) as news:
        assert news.news().names == [], "it was made"
    check_before(config, said.append, is_service=True)
    assert "nobody is enrolled" in said.pop()
    own.stop()
    check_before(config, said.append, is_service=True)
    assert "from this machine's copy" in said.pop()
    for path in (tmp_path / "data/facestream").glob("gallery-*"):
        path.unlink()
    with pytest.raises(GalleryError, match="check that the server runs"):
        check_before(config, said.append, is_service=True)
