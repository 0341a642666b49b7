import pytest

from engine.verify.gallery import Gallery
from tests.verify.faces import ThumbnailEmbedder


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


@pytest.fixture
def embedder():
    return ThumbnailEmbedder()
