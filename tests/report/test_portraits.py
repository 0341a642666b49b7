import errno
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import GalleryError, UsageError
from engine.report.page import write_report
from engine.report.portraits import Portraits
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.report.test_page import write_run


@pytest.fixture
def enrolled(tmp_path):
    """A gallery, and the folder of the photographs that it was made of."""
    folder = tmp_path / "photographs" / "more"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "collins.png"), np.full((500, 400, 3), 90, np.uint8))
    (folder / "notes.txt").write_text("none")
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        gallery.add(
            "Eileen Collins", np.eye(128, dtype=np.float32)[0], embedder="dlib", embedder_sha256="ab", runtime="test",
            source_name="collins.png", picture_sha256=hashlib.sha256((folder / "collins.png").read_bytes()).hexdigest(),
            quality=0.9,
        )  # fmt: skip
    return tmp_path / "gallery.sqlite", folder.parent


def test_the_photograph_stands_beside_each_match_and_once_in_the_page(tmp_path, enrolled):
    directory = write_run(tmp_path / "run", tracks=4, faces=1)
    page = write_report(directory, portraits=Portraits(*enrolled)).read_text()
    assert page.count("enrolled as Eileen Collins: collins.png") == 3, "of what is known or undecided"
    assert page.count("background-image: url(data:image/jpeg;base64,") == 1
    assert "enrolled as" not in write_report(directory).read_text()


def test_a_photograph_that_is_not_there_is_left_out(tmp_path, enrolled):
    gallery, folder = enrolled
    (folder / "more" / "collins.png").write_bytes(b"another file")
    assert Portraits(gallery, folder).figure("Eileen Collins") == ""
    assert Portraits(gallery, folder).figure("Nobody") == ""


def test_wrong_paths_are_one_sentence(tmp_path, enrolled):
    with pytest.raises(UsageError, match="is not a folder"):
        Portraits(enrolled[0], tmp_path / "none")
    with pytest.raises(GalleryError, match="there is no gallery"):
        Portraits(tmp_path / "none.sqlite", tmp_path)


def test_what_is_called_a_photograph_and_is_none_is_left_out(tmp_path, enrolled, monkeypatch):
    gallery, folder = enrolled
    (folder / "folder.jpg").mkdir()
    (folder / "dangling.jpg").symlink_to(folder / "none.jpg")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "empty.png").write_bytes(b"")
    denied = folder / "denied.png"
    denied.write_bytes(b"x")
    opened = Path.open

    def refuse(path, *args, **more):
        if path == denied:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args, **more)

    monkeypatch.setattr(Path, "open", refuse)
    portraits = Portraits(gallery, folder)
    assert portraits.figure("Eileen Collins")
    assert portraits.unreadable == [f"{denied} cannot be read, and is not looked at: Permission denied"]
