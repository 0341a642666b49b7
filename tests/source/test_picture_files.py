from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.source import picture_files as named
from engine.source.picture_files import picture_files as files_of


def picture_files(paths):
    return files_of(paths, lambda path, sentence: pytest.fail(sentence))


@pytest.fixture
def folder(tmp_path):
    for name in ("b.JPG", "a.heic", "c.webp", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "below.jpg").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_folders_and_patterns_are_the_pictures_in_them_by_name(folder):
    expected = [folder / "a.heic", folder / "b.JPG", folder / "c.webp"]
    assert picture_files([folder]) == expected
    assert picture_files([folder / "*"]) == expected
    assert picture_files([folder / "?.[wh]e*"]) == [folder / "a.heic", folder / "c.webp"]


def test_files_stay_as_they_are(folder):
    given = [folder / "notes.txt", folder / "b.JPG"]
    assert picture_files(given) == given
    (folder / "a[1].jpg").touch()
    assert picture_files([folder / "a[1].jpg"]) == [folder / "a[1].jpg"]


def test_where_no_picture_is_that_is_told(folder):
    with pytest.raises(UsageError, match=r"the folder .*empty holds no picture \(looked for .avif"):
        picture_files([folder / "empty"])
    with pytest.raises(UsageError, match=r"\*.bmp matches no picture"):
        picture_files([folder / "*.bmp"])
    with pytest.raises(UsageError, match=r"none.jpg cannot be read \(No such file or directory\): check the path"):
        picture_files([Path("none.jpg")])


def test_what_is_not_there_is_told_and_the_others_are_taken(folder):
    """A file that is missing, a pattern without a match and an empty folder are one mistake, and treated alike."""
    told = []
    missing = [folder / "none.jpg", folder / "*.bmp", folder / "empty"]
    assert files_of([*missing, folder / "b.JPG"], lambda path, sentence: told.append(path)) == [folder / "b.JPG"]
    assert told == missing


def test_what_lies_below_is_found_when_asked_for_and_bounded(folder, monkeypatch):
    """The pictures of a run lie in faces/STREAM/TRACK."""
    deep, hidden = folder / "empty" / "door" / "1", folder / "empty" / ".hidden"
    for at in (deep, hidden):
        at.mkdir(parents=True)
        (at / "d.jpg").touch()
    (folder / "empty" / "around").symlink_to(folder)
    assert files_of([folder], pytest.fail, below=True) == [
        folder / "a.heic", folder / "b.JPG", folder / "c.webp", deep / "d.jpg",
    ]  # fmt: skip
    monkeypatch.setattr(named, "_MOST_BELOW", 2)
    said = []
    assert len(files_of([folder], lambda _, sentence: said.append(sentence), below=True)) == 2
    assert "holds more than 2 pictures" in said[0]
