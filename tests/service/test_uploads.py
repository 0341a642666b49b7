"""Files that are sent: their names are kept, and lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.verbs import Picture
from engine.service.work import written


@pytest.mark.parametrize(
    ("name", "kept"),
    [("ada.jpg", "ada.jpg"), ("01-ada.jpg", "01-ada.jpg"), ("../../etc/ada", "ada"), ("..", "picture"), ("", "picture")],
)
def test_an_upload_keeps_its_name_in_a_folder_of_its_own(tmp_path: Path, name: str, kept: str) -> None:
    paths = [written(str(tmp_path), number, Picture(name=name, content=b"jpeg")) for number in (1, 2)]
    assert [path.name for path in paths] == [kept, kept]
    assert [path.parent.parent for path in paths] == [tmp_path, tmp_path]
    assert paths[0] != paths[1]
