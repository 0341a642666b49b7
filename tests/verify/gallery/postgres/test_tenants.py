"""A tenant cannot reach the rows of another, by whatever SQL: the server keeps them apart, not the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import psycopg
import pytest

from engine.errors import GalleryError
from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.gallery import PostgresGallery
from engine.verify.gallery.postgres.tables import opened
from tests.verify.gallery.postgres.conftest import as_role
from tests.verify.vectors import SHA, add

TABLES = ("pictures", "quarantined", "negatives", "state", "gone")


@pytest.fixture
def intruder(url: str, role: str, tmp_path: Path) -> Iterator[psycopg.Connection]:
    """A session of a role that is admitted to the tenant south, in a database where north has people."""
    with PostgresGallery(address_of(f"{url}?tenant=north"), tmp_path) as north:
        for number in range(3):
            add(north, f"north {number}", number)
        north.add(
            "north 9", north.snapshot(SHA).matrix[0], embedder="d", embedder_sha256=SHA, runtime="", source_name="north.jpg",
            picture_sha256="9", quality=0.5, doubt="is like north 0", apart=True,
        )  # fmt: skip
        north.keep_negatives("north 0", SHA, "run/north/1", [north.snapshot(SHA).matrix[1]])
        north.remove("north 2")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SELECT gallery.admit('south', %s)", (role,))
    address = address_of(f"{as_role(url, role)}?tenant=south")
    with PostgresGallery(address, tmp_path) as south:
        add(south, "south 0", 0)  # the same picture as north's: that it is enrolled there is not told
    with closing(opened(address, "intruder", read_only=False)) as session:
        yield session


def test_nothing_of_another_tenant_is_read(intruder: psycopg.Connection) -> None:
    queries = [
        *(f"SELECT {table}::text FROM gallery.{table}" for table in TABLES),
        *(f"SELECT {table}::text FROM gallery.{table} WHERE tenant = 'north'" for table in TABLES),
        "SELECT p::text || q::text FROM gallery.pictures AS p FULL JOIN gallery.quarantined AS q ON true",
        "SELECT p::text FROM gallery.state AS s LEFT JOIN gallery.pictures AS p ON p.tenant <> s.tenant",
        "WITH all_of_them AS MATERIALIZED (SELECT * FROM gallery.pictures) SELECT all_of_them::text FROM all_of_them",
        "SELECT string_agg(identity, ',') FROM gallery.pictures",
        "SELECT identity FROM gallery.pictures ORDER BY embedding <-> (SELECT embedding FROM gallery.pictures LIMIT 1)",
        "SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'gallery' AND tablename = 'pictures'",
    ]
    for _ in range(2):  # the second time as if it were north
        for query in queries:
            assert "north" not in str(intruder.execute(query.encode()).fetchall()).replace("tenant = 'north'", "")
        assert intruder.execute("SELECT count(*) FROM gallery.pictures").fetchone() in ((1,), (0,))
        intruder.execute("SELECT set_config('facestream.tenant', 'north', false)")
    with intruder.cursor() as cursor, cursor.copy("COPY (SELECT * FROM gallery.pictures) TO STDOUT") as rows:
        assert list(rows) == []
    with intruder.cursor() as cursor, cursor.copy("COPY gallery.pictures TO STDOUT") as rows:
        assert list(rows) == []


def test_no_function_or_view_of_its_own_reaches_further(intruder: psycopg.Connection) -> None:
    """Nor one that leaks what a filter is asked about before the policy is."""
    intruder.execute("SELECT set_config('facestream.tenant', 'north', false)")
    intruder.execute(
        "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN RAISE EXCEPTION 'saw %', $1; END $$"
    )
    assert intruder.execute("SELECT * FROM gallery.pictures WHERE pg_temp.leak(identity)").fetchall() == []
    intruder.execute("CREATE TEMP VIEW seen AS SELECT * FROM gallery.pictures")
    assert intruder.execute("SELECT * FROM seen").fetchall() == []
    intruder.execute(
        "CREATE FUNCTION pg_temp.all_of_them() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS"
        " 'SELECT count(*) FROM gallery.pictures'"
    )
    assert intruder.execute("SELECT pg_temp.all_of_them()").fetchone() == (0,)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("DELETE FROM gallery.pictures", None),
        ("UPDATE gallery.pictures SET identity = 'mine'", None),
        ("UPDATE gallery.state SET version = 0", None),
        ("UPDATE gallery.pictures SET tenant = 'north'", "row-level security"),
        ("INSERT INTO gallery.gone VALUES ('north', 1, 'pictures', 1)", "row-level security"),
        ("INSERT INTO gallery.state (tenant, epoch) VALUES ('north', 'x') ON CONFLICT (tenant) DO UPDATE SET epoch = 'x'",
         "row-level security"),
        ("TRUNCATE gallery.pictures", "permission denied"),
        ("SELECT * FROM gallery.admitted", "permission denied"),
        ("INSERT INTO gallery.admitted SELECT session_user, 'north'", "permission denied"),
        ("SELECT gallery.admit('north', session_user)", "permission denied"),
        ("ALTER TABLE gallery.pictures DISABLE ROW LEVEL SECURITY", "must be owner"),
        ("CREATE POLICY mine ON gallery.pictures USING (true)", "must be owner"),
        ("CREATE OR REPLACE FUNCTION gallery.tenant() RETURNS text LANGUAGE sql AS 'SELECT ''north'''", "permission denied"),
        ("SET ROLE facestream_gallery", "permission denied"),
        ("SET SESSION AUTHORIZATION facestream", "permission denied"),
        ("SET session_replication_role = replica", "permission denied"),
        ("SET row_security = off; SELECT * FROM gallery.pictures", "would be affected by row-level security"),
    ],
)  # fmt: skip
def test_nothing_of_another_tenant_is_changed(intruder, url, tmp_path, change, says):  # type: ignore[no-untyped-def]
    with pytest.raises(psycopg.Error, match=says) if says else nullcontext():
        intruder.execute(change)
    with PostgresGallery(address_of(f"{url}?tenant=north"), tmp_path) as north:
        assert [person.name for person in north.list()] == ["north 0", "north 1"]
        assert (north.version(), len(north.quarantined()), north.negatives()) == (5, 1, {"north 0": 1})


def test_who_is_not_admitted_is_told_what_to_do(url: str, role: str, tmp_path: Path) -> None:
    with PostgresGallery(address_of(url), tmp_path):
        pass
    theirs = as_role(url, role)
    with pytest.raises(GalleryError, match=r"permission denied for schema gallery.*docs/gallery.md"):
        PostgresGallery(address_of(theirs), tmp_path, read_only=True)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SELECT gallery.admit('north', %s)", (role,))
    with pytest.raises(GalleryError, match=rf"may not use the tenant main .* gallery.admit\('main', '{role}'\)"):
        PostgresGallery(address_of(theirs), tmp_path)
    with PostgresGallery(address_of(f"{theirs}?tenant=north"), tmp_path) as north:
        add(north, "ada", 1)
    with pytest.raises(GalleryError, match=r"there is no gallery .*tenant=nroth"):
        PostgresGallery(address_of(f"{url}?tenant=nroth"), tmp_path, read_only=True)


def test_a_role_of_a_group_that_is_admitted_may(server, url: str, role: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with PostgresGallery(address_of(url), tmp_path):
        pass
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role}_group NOLOGIN")
        owner.execute(f"GRANT {role}_group TO {role}")
        owner.execute("SELECT gallery.admit('north', %s)", (f"{role}_group",))
    with PostgresGallery(address_of(f"{as_role(url, role)}?tenant=north"), tmp_path) as north:
        add(north, "ada", 1)
        assert north.version() == 1
