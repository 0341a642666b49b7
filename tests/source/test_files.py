from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.config import LiveConfig, SourceConfig
from engine.contracts.camera import Camera
from engine.contracts.recording import Recording
from engine.errors import ConfigError
from engine.source.names import name_from_text
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


def test_pipes_in_a_directory_are_left_out_and_dead_links_are_not(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c.mp4")
    found = expand_sources([SourceConfig(uri=str(tmp_path))])
    assert [recording.path.name for recording in found] == ["a.mp4", "b.mp4"]


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
    assert [r.name for r in found] == ["a.mkv", "a.mp4", "a"]


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
    with pytest.raises(ConfigError, match="cannot stand for the 2 recordings"):
        expand_sources([SourceConfig(uri=str(tmp_path), name="door")])


def test_what_is_missing_or_empty_is_one_sentence_each(tmp_path):
    (tmp_path / "empty").mkdir()
    for uri in ("${CAMERA}", "$HOME/a.mp4", "{{ file }}"):
        with pytest.raises(ConfigError, match=r"does not exist.*: variables are not replaced here, write the path itself"):
            names_of(uri)
    with pytest.raises(ConfigError, match="does not exist"):
        names_of(tmp_path / "nothing.mp4")
    with pytest.raises(ConfigError, match=r"^\*\*\*@10.0.0.5/x does not exist"):
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
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for source, what in (("pipe", "pipe is a pipe"), ("socket", "socket is neither a file nor a directory")):
            with pytest.raises(ConfigError, match=f"{what}: give a recorded file; write .* to a file first"):
                names_of(tmp_path / source)
    with pytest.raises(ConfigError, match=r"standard input is no recording: write .* to a file first"):
        names_of("-")


def test_an_unreadable_file_is_a_recording_like_any_other(tmp_path, monkeypatch):
    """It fails when it is its turn, and stops no other."""
    touch(tmp_path, "a.mp4", "b.mp4")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may read everything
    assert names_of(tmp_path / "a.mp4") == ["a"]
    assert names_of(tmp_path / "*.mp4") == names_of(tmp_path) == ["a", "b"]


def test_an_unreadable_directory(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConfigError, match="permission denied"):
        names_of(tmp_path)


def series_of(uri: str | Path, warnings: list[str] | None = None, **settings: object) -> list[Recording]:
    source = SourceConfig(uri=str(uri), **settings)
    return expand_all([source], LiveConfig(), (warnings if warnings is not None else []).append)


def files_of(recording: Recording) -> list[str]:
    return [path.name for path in recording.pictures]


def test_a_folder_of_pictures_is_one_series_in_the_order_of_counting(tmp_path):
    touch(tmp_path, "seq/f10.jpg", "seq/f2.JPG", "seq/f1.png", "seq/notes.txt", "seq/.f3.jpg")
    (series,) = series_of(tmp_path / "seq")
    assert (series.name, series.path, series.fps) == ("seq", tmp_path / "seq", 25.0)
    assert files_of(series) == ["f1.png", "f2.JPG", "f10.jpg"]
    (other,) = series_of(tmp_path / "seq", fps=10, name="door")
    assert (other.name, other.fps) == ("door", 10.0)


@pytest.mark.parametrize("pattern", ["seq/f*.jpg", "seq/f*", "seq/*", "seq/*.*", "seq/f[0-9]*.jpg"])
def test_a_glob_of_pictures_is_one_series(tmp_path, pattern):
    touch(tmp_path, "seq/f10.jpg", "seq/f2.jpg", "seq/f1.jpg")
    (series,) = series_of(tmp_path / pattern)
    assert (series.name, files_of(series)) == ("seq", ["f1.jpg", "f2.jpg", "f10.jpg"])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("f%04d.jpg", ["f0098.jpg", "f0100.jpg", "f12345.jpg"]), ("f%d.jpg", ["f7.jpg", "f12345.jpg"]),
     ("100%%%d.png", ["100%3.png"])],
)  # fmt: skip
def test_a_pattern_takes_the_numbers_that_are_there(tmp_path, pattern, names):
    """From any number on, with gaps; %04d has at least four digits, and only leading zeros."""
    touch(tmp_path, "f0098.jpg", "f0100.jpg", "f12345.jpg", "f012345.jpg", "f99.png", "f7.jpg", "100%3.png")
    (series,) = series_of(tmp_path / pattern)
    assert files_of(series) == names
    assert series.name == name_from_text(tmp_path.name)


def test_a_pattern_without_a_file_and_a_file_called_like_a_pattern(tmp_path):
    with pytest.raises(ConfigError, match="no file matches the pattern"):
        series_of(tmp_path / "f%04d.jpg")
    touch(tmp_path, "f%04d.jpg")
    assert files_of(*series_of(tmp_path / "f%04d.jpg")) == ["f%04d.jpg"]


def test_the_pictures_of_each_folder_are_a_series_of_their_own(tmp_path):
    touch(tmp_path, "a/1.jpg", "a/2.jpg", "b/1.jpg", "b/deep/1.png")
    assert [(one.name, len(one.pictures)) for one in series_of(tmp_path)] == [("a", 2), ("b", 1), ("deep", 1)]
    assert [(one.name, len(one.pictures)) for one in series_of(f"{tmp_path}/*/*.jpg")] == [("a", 2), ("1", 1)]
    with pytest.raises(ConfigError, match="cannot stand for the 3 recordings"):
        series_of(tmp_path, name="door")


def test_pictures_beside_videos_are_left_out_unless_they_are_named(tmp_path):
    touch(tmp_path, "a.mp4", "a.jpg", "b.jpg")
    for uri in (tmp_path, tmp_path / "*"):
        warnings: list[str] = []
        (video,) = series_of(uri, warnings)
        assert (video.name, video.pictures) == ("a", ())
        assert "holds videos (1) and pictures (2), which are left out" in warnings[0]
        assert f"'{tmp_path}/*.jpg'" in warnings[0]
    assert [one.pictures != () for one in series_of(tmp_path / "*.[jm]p[g4]")] == [False, True]


@pytest.mark.parametrize("pattern", ["", "*", "**/*"])
@pytest.mark.parametrize(
    ("others", "said"),
    [
        (["ch01"], "also holds 1 file that is left out, not being called like a video or a picture (ch01): a recording"),
        (
            ["a.dat", "b.h26l", "b.exe"],
            "3 files that are left out, not being called like a video or a picture (a.dat, b.exe, b.h26l)",
        ),
        (
            [f"{n}.bin" for n in range(10, 20)],
            "10 files that are left out, not being called like a video or a picture (10.bin, ",
        ),
        (["a.srt", "a.JSON", "notes.txt", ".b.dat"], ""),
    ],
)
def test_other_files_in_a_folder_are_told(tmp_path, others, said, pattern):
    touch(tmp_path, "a.mp4", *others)
    warnings: list[str] = []
    assert [one.name for one in series_of(tmp_path / pattern, warnings)] == ["a"]
    assert len(warnings) == bool(said)
    assert said in "".join(warnings)


def test_one_picture_is_a_recording_of_its_own_name(tmp_path):
    touch(tmp_path, "photo.JPG")
    for uri in ("photo.JPG", "photo.*", "ph*.JPG"):
        (photo,) = series_of(tmp_path / uri)
        assert (photo.name, photo.path, photo.pictures) == ("photo", tmp_path / "photo.JPG", (tmp_path / "photo.JPG",))


def test_the_rate_of_a_video_is_its_own(tmp_path):
    touch(tmp_path, "a.mp4")
    with pytest.raises(ConfigError, match=r"a\.mp4 has a clock of its own, `fps` is for pictures"):
        series_of(tmp_path / "a.mp4", fps=10)
