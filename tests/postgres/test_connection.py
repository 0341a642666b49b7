"""The way to a database is bounded also where the server takes what it is sent and says nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.errors import DatabaseError, GalleryError
from engine.fleet.file import Fleet
from engine.fleet.store import apply
from engine.fleet.view import fleet_view
from engine.postgres.connection import connect, told
from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.tables import PostgresTables
from tests.servers.postgres import PostgresServer, require_postgres

SILENT = "it has not answered for"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    require_postgres()
    with PostgresServer() as running:
        yield running


def test_a_server_that_hangs_ends_the_connection_in_time(server: PostgresServer) -> None:
    faces, where = address_of(server.database("faces")), server.database("fleet")
    PostgresTables(faces, read_only=False).close()  # tables take their time, and are there now
    with connect(where, application="test") as first:
        apply(first, Fleet(cameras=()))
    gallery = PostgresTables(faces, read_only=False)
    one, other = (connect(where, application="test") for _ in range(2))
    for opened in (one, other, gallery.connection):
        opened.silent_seconds = 1.0  # now: whoever connects may take its time
    with server.hanging():
        began = time.monotonic()
        with pytest.raises(DatabaseError, match=SILENT):
            fleet_view(one)
        with pytest.raises(DatabaseError, match="was closed, as there was no answer"):
            fleet_view(one)
        with pytest.raises(DatabaseError, match=SILENT), told(where), other, other.transaction():
            other.execute("SELECT 1")
        with pytest.raises(GalleryError, match=f"{SILENT}.*check that the server runs"):
            gallery.rows("SELECT 1")
        with pytest.raises(DatabaseError, match="timeout"):
            connect(where, application="test", answer_seconds=1.0)
        assert time.monotonic() - began < 16.0
    assert one.closed
    assert other.closed
    gallery.close()


def test_who_waits_for_news_has_asked_nothing(server: PostgresServer) -> None:
    with connect(server.url, application="test") as connection, told(server.url):
        connection.execute("LISTEN news")
        connection.silent_seconds = 0.3
        assert list(connection.notifies(timeout=0.8)) == []
        with pytest.raises(DatabaseError, match=SILENT), told(server.url):
            connection.execute("SELECT pg_sleep(4)")


def test_a_statement_that_is_slow_is_told_by_the_server(server: PostgresServer) -> None:
    with connect(server.url, application="test", answer_seconds=1.0) as connection:
        with pytest.raises(DatabaseError, match="statement timeout"), told(server.url):
            connection.execute("SELECT pg_sleep(3)")
        assert connection.execute("SELECT count(*) FROM generate_series(1, 9)").fetchone() == (9,)
