"""A database of its own for tests that change what all galleries of a database share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from engine.verify.gallery.postgres.address import address_of
from engine.verify.gallery.postgres.gallery import PostgresGallery
from engine.verify.gallery.postgres.news import PostgresNews
from tests.servers.postgres import PostgresServer
from tests.verify.vectors import SHA

_DATABASES = count()


@pytest.fixture
def url(server: PostgresServer) -> str:
    """Of an empty database; its role may do all."""
    return server.database(f"own{next(_DATABASES)}")


@pytest.fixture
def role(server: PostgresServer) -> str:
    """The name of a role that may log in, and nothing else."""
    name = f"role{next(_DATABASES)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
    return name


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[PostgresGallery]:
    """An empty gallery, whose caches are in the test's folder."""
    with PostgresGallery(address_of(database), tmp_path / "kept") as opened:
        yield opened


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., PostgresNews]]:
    """Follow a gallery from a machine of its own, or one that is named."""
    opened: list[PostgresNews] = []

    def begin(where: str, machine: str = "kept", max_age: float = 0.0) -> PostgresNews:
        address = address_of(where)
        opened.append(PostgresNews(address, address.cache(tmp_path / machine), SHA, max_age))
        return opened[-1]

    yield begin
    for one in opened:
        with closing(one):
            pass


def as_role(url: str, role: str) -> str:
    return url.replace("facestream@", f"{role}@")
