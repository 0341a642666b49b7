from __future__ import annotations

import os
from pathlib import Path

from engine.archive.pictures import read_picture


def test_only_the_file_of_a_picture_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture")
    assert read_picture(tmp_path / "a.jpg") == (b"picture", "image/jpeg")
    (tmp_path / "a.raw").write_bytes(b"planes")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("a.raw", "folder.png", "link.jpg", "pipe.jpg", "gone.jpg"):
        assert read_picture(tmp_path / name) is None, name
