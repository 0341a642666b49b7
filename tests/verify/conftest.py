from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.gallery.stored import StoredGallery
from tests.servers.postgres import PostgresServer, require_postgres
from tests.verify.faces import ThumbnailEmbedder

_TENANTS = count()


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    require_postgres()
    with PostgresServer() as started:
        yield started


@pytest.fixture
def database(server: PostgresServer) -> str:
    """The address of a gallery in PostgreSQL that is nobody else's."""
    return f"{server.url}?tenant=tenant{next(_TENANTS)}"


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a gallery of each kind."""
    return str(tmp_path / "people.sqlite") if request.param == "sqlite" else str(request.getfixturevalue("database"))


@pytest.fixture
def each_gallery(where: str) -> Iterator[StoredGallery]:
    with open_gallery(where) as opened:
        yield opened


@pytest.fixture
def embedder():
    return ThumbnailEmbedder()
