"""Which recordings an archive has."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from engine.config import Config
from engine.contracts.recording import Recording, Sent, sent
from engine.jobs.recordings import recordings_of


def names(uris: list[str]) -> list[str]:
    return [one.name for one in recordings_of(uris, Config(), lambda sentence: None)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mkv", "b.mkv", "sub/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def test_folders_patterns_and_lists(folder: Path) -> None:
    (folder / "list.txt").write_text(f"# tapes\na.mkv\n\nsub\n{folder}/b*.mkv\n")
    assert names([str(folder)]) == ["a", "b", "c"]
    assert names([str(folder / "*.mkv")]) == ["a", "b"]
    assert names([str(folder / "list.txt")]) == ["a", "c", "b"]


def test_one_that_is_named_twice_is_there_once(folder: Path) -> None:
    assert names([str(folder / "a.mkv"), str(folder)]) == ["a", "b", "c"]


def test_a_list_of_names_that_are_no_text(folder: Path) -> None:
    odd = os.fsencode(folder) + b"/d\xff.mkv"
    Path(os.fsdecode(odd)).write_text("x")
    (folder / "list.txt").write_bytes(odd + b"\n")
    (found,) = recordings_of([str(folder / "list.txt")], Config(), lambda sentence: None)
    assert os.fsencode(found.path) == odd
    on_its_way = msgspec.msgpack.decode(msgspec.msgpack.encode(sent(found)), type=Sent)
    assert on_its_way.recording() == found


def test_a_series_of_pictures_arrives_whole(tmp_path: Path) -> None:
    series = Recording("s", tmp_path, (tmp_path / "1.jpg", tmp_path / "2.jpg"), 10.0)
    assert sent(series).recording() == series


def test_paths_are_absolute_as_workers_are_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (found,) = recordings_of(["sub/c.mp4"], Config(), lambda sentence: None)
    assert found.path == folder / "sub/c.mp4"
