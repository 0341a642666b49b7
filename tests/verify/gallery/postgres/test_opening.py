"""A database that cannot be used is one sentence: what, where, and what to do."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import psycopg
import pytest

from engine.cli.gallery.enrol import _check_before
from engine.cli.gallery.pictures import existing
from engine.errors import ConfigError, GalleryError
from engine.privacy.erasure import _from_gallery
from engine.privacy.mentions import Mentions
from engine.verify.gallery.opening import gallery_file, gallery_words, is_there, open_gallery
from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.gallery import PostgresGallery
from engine.verify.gallery.postgres.schema import STEPS
from tests.servers.postgres import PostgresServer
from tests.together import run_together
from tests.verify.gallery.postgres.conftest import as_role
from tests.verify.vectors import add


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("postgresql://me:secret@db/faces", "postgresql://me@db/faces holds a password.*~/.pgpass"),
        ("postgresql://me@db/faces?password=secret", "holds a password"),
        ("postgresql://me:@db/faces", "holds a password"),
        ("postgresql://me@db/faces?tenant=", "'' cannot be the tenant"),
        ("postgresql://me@db/faces?tenant=*", "cannot be the tenant"),
        ("postgresql://me@db/faces?tenant=a%20b", "cannot be the tenant"),
        (f"postgresql://me@db/faces?tenant={'x' * 64}", "cannot be the tenant"),
        ("mysql://me@db/faces", "is not a gallery: name a file, or a database as postgresql://USER@HOST/NAME"),
        ("POSTGRESQL://me@db/faces", "is not a gallery"),
        ("postgresql://me@db:port/faces", "cannot be read.*write postgresql://USER@HOST/NAME"),
    ],
)
def test_an_address_that_cannot_be(where: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as said:
        open_gallery(where)
    assert "secret" not in str(said.value)


def test_an_address() -> None:
    address = address_of("postgresql://me@db:5433/faces?sslmode=verify-full&tenant=north")
    assert (address.database, address.tenant) == ("postgresql://me@db:5433/faces?sslmode=verify-full", "north")
    assert address.where == "postgresql://me@db:5433/faces?sslmode=verify-full&tenant=north"
    assert address_of(address.where) == address
    assert address_of("postgres://db/faces").where == gallery_words("postgres://db/faces") == "postgres://db/faces"
    assert gallery_file("postgres://db/faces") is None
    assert address.cache(Path("a")) != address_of("postgresql://me@db:5433/faces?sslmode=verify-full").cache(Path("a"))


def test_servers_and_roles_that_are_not_there(server: PostgresServer, url: str, tmp_path: Path) -> None:
    for where, says in (
        ("postgresql://me@127.0.0.1:1/faces", "Connection refused.*check that the server runs"),
        (as_role(url, "nobody_of_that_name"), 'role "nobody_of_that_name" does not exist'),
        (f"{server.url.rsplit('/', 1)[0]}/nowhere", 'database "nowhere" does not exist'),
        (f"{url}?sslmode=verify-full&sslrootcert=/nowhere", "root certificate|SSL"),
        (f"{url}?colour=red", "invalid URI query parameter"),
    ):
        with pytest.raises(GalleryError, match=says):
            open_gallery(where)


def test_a_role_without_rights_and_a_database_without_pgvector(url: str, role: str, tmp_path: Path) -> None:
    theirs = as_role(url, role)
    assert not is_there(theirs)
    with pytest.raises(GalleryError, match=r"lacks the extension vector.*let a superuser run CREATE EXTENSION vector"):
        open_gallery(theirs)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE EXTENSION vector")
        with pytest.raises(GalleryError, match=r"cannot be made \(permission denied for database .*let a role do it that may"):
            open_gallery(theirs)
        owner.execute(f"GRANT CREATE ON DATABASE {url.rsplit('/', 1)[1]} TO {role}")
    with open_gallery(theirs) as gallery:  # who is no superuser owns it, and row-level security holds for them too
        add(gallery, "ada", 1)
        assert gallery.tables.rows("SELECT current_user::text") == [(role,)]
    with open_gallery(f"{theirs}?tenant=other") as gallery:
        assert gallery.tables.rows("SELECT count(*) FROM gallery.pictures") == [(0,)]
    assert is_there(theirs)
    with open_gallery(url) as gallery:  # a superuser acts as the owner
        assert gallery.tables.rows("SELECT current_user::text, (SELECT count(*) FROM gallery.pictures)") == [(role, 1)]


def test_tables_of_a_later_version_are_refused_and_those_of_an_earlier_are_not_read_as_if_they_were_ours(url, monkeypatch):  # type: ignore[no-untyped-def]
    with open_gallery(url) as gallery:
        add(gallery, "ada", 1)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("INSERT INTO gallery.steps VALUES (%s)", (len(STEPS) + 7,))
        for read_only in (True, False):
            with pytest.raises(GalleryError, match=f"has version {len(STEPS) + 7} of its tables, this facestream knows"):
                open_gallery(url, read_only=read_only)
        owner.execute("DELETE FROM gallery.steps WHERE number > %s", (len(STEPS),))
    later = (*STEPS, "ALTER TABLE gallery.pictures ADD COLUMN colour text NOT NULL DEFAULT 'blue'")
    for module in ("migrating", "tables"):
        monkeypatch.setattr(f"engine.verify.gallery.postgres.{module}.STEPS", later)
    with pytest.raises(GalleryError, match=f"version {len(STEPS)} of its tables, this facestream needs {len(later)}"):
        open_gallery(url, read_only=True)
    assert is_there(url)
    _check_before(url, "grey")  # the enrolment that the sentence asks for is not refused by the same sentence
    with existing(url) as gallery:
        assert gallery.tables.rows("SELECT identity, colour FROM pictures") == [("ada", "blue")]
    for module in ("migrating", "tables"):
        monkeypatch.setattr(f"engine.verify.gallery.postgres.{module}.STEPS", (*later, "SELECT 1"))
    assert _from_gallery(url, Mentions(["ada"]), [], dry_run=False).pictures == 1, "nor is an erasure"


def test_several_may_make_it_at_once(url: str, tmp_path: Path) -> None:
    made = []

    def make() -> None:
        with PostgresGallery(address_of(url), tmp_path) as gallery:
            made.append((gallery.version(), gallery.tables.state()))

    run_together([Thread(target=make) for _ in range(4)])
    assert len(made) == 4
    assert len(set(made)) == 1


def test_a_database_that_dies_within_a_change_loses_nothing_that_was_said(server: PostgresServer, database: str) -> None:
    with open_gallery(database) as gallery:
        add(gallery, "ada", 1)

        def die_before_the_end() -> None:
            with gallery.tables.writing():
                gallery.tables.execute("DELETE FROM pictures")
                with psycopg.connect(server.url, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                        " AND application_name = 'facestream gallery'"
                    )

        with pytest.raises(GalleryError, match="whether the change was made is not known"):
            die_before_the_end()
        with pytest.raises(GalleryError, match="the connection is closed"):
            gallery.list()
    with open_gallery(database) as gallery:
        assert ([person.name for person in gallery.list()], gallery.version()) == (["ada"], 1)


def test_a_writer_that_waits_too_long_says_so(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_gallery(database).close()  # tables take their time, and are there now
    monkeypatch.setattr("engine.verify.gallery.postgres.tables.ANSWER_SECONDS", 1.0)
    with (
        open_gallery(database) as one,
        open_gallery(database) as other,
        one.tables.writing(),
        pytest.raises(GalleryError, match="another machine is writing to it"),
    ):
        add(other, "ada", 1)
