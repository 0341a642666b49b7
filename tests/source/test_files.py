from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.config import LiveConfig, SourceConfig
from engine.contracts.links import Camera
from engine.errors import ConfigError, SourceError
from engine.source.files import Recording
from engine.source.sources import expand_sources as expand_all


def expand_sources(sources: list[SourceConfig]) -> list[Recording | Camera]:
    return expand_all(sources, LiveConfig())


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names_of(*uris: str | Path) -> list[str]:
    return [recording.name for recording in expand_sources([SourceConfig(uri=str(uri)) for uri in uris])]


def test_a_file_keeps_its_explicit_name(tmp_path):
    touch(tmp_path, "a.mkv")
    (recording,) = expand_sources([SourceConfig(uri=str(tmp_path / "a.mkv"), name="door")])
    assert (recording.name, recording.path) == ("door", tmp_path / "a.mkv")


def test_a_directory_is_searched_recursively_for_videos_in_order(tmp_path):
    touch(tmp_path, "b.mp4", "a.MKV", "deep/er/c.ts", "notes.txt", ".hidden.mp4", ".trash/d.mp4")
    found = expand_sources([SourceConfig(uri=str(tmp_path))])
    assert [r.path.relative_to(tmp_path).as_posix() for r in found] == ["a.MKV", "b.mp4", "deep/er/c.ts"]


def test_a_glob_with_an_extension_means_what_it_says(tmp_path):
    touch(tmp_path, "1.dat", "2.dat", "3.mp4")
    assert names_of(tmp_path / "*.dat") == ["1", "2"]


def test_a_glob_without_extension_takes_videos_only(tmp_path):
    touch(tmp_path, "1.mp4", "2.txt", "sub/3.avi")
    assert names_of(tmp_path / "*") == ["1"]
    assert names_of(f"{tmp_path}/**/*") == ["1", "3"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path):
    touch(tmp_path, "cam[1].mp4")
    assert names_of(tmp_path / "cam[1].mp4") == ["cam_1"]


def test_a_file_url_is_a_path(tmp_path):
    touch(tmp_path, "a b.mp4")
    assert names_of(f"file://{tmp_path}/a%20b.mp4") == ["a_b"]


def test_clashing_names_get_suffixes_and_explicit_names_win(tmp_path):
    touch(tmp_path, "x/a.mp4", "x/a.mkv", "y/a.mp4", "y/b.mp4")
    found = expand_sources([SourceConfig(uri=str(tmp_path / "x")), SourceConfig(uri=str(tmp_path / "y/b.mp4"), name="a")])
    assert [r.name for r in found] == ["a-2", "a-3", "a"]


@pytest.mark.parametrize("name", ["with space", "a/b", "x" * 65, "ä", "..", "."])
def test_a_bad_explicit_name_is_refused(tmp_path, name):
    touch(tmp_path, "a.mp4")
    with pytest.raises(ConfigError, match="stream name"):
        expand_sources([SourceConfig(uri=str(tmp_path / "a.mp4"), name=name)])


def test_the_same_explicit_name_twice_is_refused(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    with pytest.raises(ConfigError, match="two streams have the name 'door'"):
        expand_sources([SourceConfig(uri=str(tmp_path / f), name="door") for f in ("a.mp4", "b.mp4")])


def test_one_name_for_several_files_is_refused(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    with pytest.raises(ConfigError, match="cannot stand for the 2 files"):
        expand_sources([SourceConfig(uri=str(tmp_path), name="door")])


def test_what_is_missing_or_empty_is_one_sentence_each(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="does not exist") as caught:
        names_of(tmp_path / "nothing.mp4")
    assert caught.value.reason == "not_found"
    with pytest.raises(SourceError, match=r"^\*\*\*@10.0.0.5/x does not exist"):
        names_of("admin:se/c:r@et@10.0.0.5/x")  # rtsp:// was forgotten
    with pytest.raises(ConfigError, match="holds no video file"):
        names_of(tmp_path / "empty")
    with pytest.raises(ConfigError, match="no file matches"):
        names_of(tmp_path / "*.mp4")
    with pytest.raises(ConfigError, match="empty uri"):
        names_of("")
    with pytest.raises(ConfigError, match="not a path"):
        names_of("a\0b")


def test_a_pipe_is_not_a_recording(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="neither a file nor a directory"):
        names_of(tmp_path / "pipe")


def test_an_unreadable_file_and_directory(tmp_path, monkeypatch):
    touch(tmp_path, "a.mp4")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may read everything
    with pytest.raises(SourceError, match="permission denied") as caught:
        names_of(tmp_path / "a.mp4")
    assert caught.value.reason == "permission"

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="permission denied"):
        names_of(tmp_path)
