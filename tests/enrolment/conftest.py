"""A gallery without anybody, and pictures written to files."""

import cv2
import pytest

from engine.verify.gallery.sqlite.gallery import Gallery


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


@pytest.fixture
def write(tmp_path):
    def write_picture(name, image):
        path = tmp_path / name
        assert cv2.imwrite(str(path), image)
        return path

    return write_picture
