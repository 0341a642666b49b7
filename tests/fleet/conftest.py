"""A real PostgreSQL server for the tests of a fleet, and an empty database of it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from tests.servers.postgres import PostgresServer, require_postgres

_NAMES = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    require_postgres()
    with PostgresServer() as running:
        yield running


@pytest.fixture
def database(server: PostgresServer) -> str:
    """The address of an empty database."""
    return server.database(f"fleet{next(_NAMES)}")


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(database, autocommit=True) as connected:
        yield connected
