from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError
from engine.source.names import NAME_LENGTH, name_from, name_streams, names_of_files

stems = st.lists(st.text(min_size=1, max_size=90).filter(lambda s: "/" not in s and "\0" not in s), max_size=30)


@given(stems)
def test_made_names_are_valid_unique_and_stable(stems):
    wanted = [("", name_from(Path(f"{stem}.mp4"))) for stem in stems]
    names = name_streams(wanted)
    assert len(set(names)) == len(names) == len(stems)
    for name in names:
        assert check_stream_name(name) == name
        assert not name.startswith(".")
        assert len(name) <= NAME_LENGTH
    assert name_streams(wanted) == names


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_a_name_that_is_valid_already_is_kept(stem):
    assert name_from(Path(f"{stem}.mkv")) in {stem, stem.rstrip("_")}


def test_a_given_name_wins_wherever_it_stands():
    assert name_streams([("", "door"), ("", "door"), ("door", "x"), ("", "x")]) == ["door-2", "door-3", "door", "x"]


def test_a_name_given_twice_or_not_usable_is_refused():
    with pytest.raises(ConfigError, match="two streams have the name 'door'"):
        name_streams([("door", "a"), ("", "b"), ("door", "c")])
    with pytest.raises(ConfigError, match="not usable in a topic"):
        name_streams([("front door", "a")])


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/cam1/10-00.mkv", "/a/cam2/10-00.mkv"], ["cam1_10-00", "cam2_10-00"]),
        (["/a/cam1/10-00.mkv", "/a/cam2/10-00.mkv", "/a/cam2/11-00.mkv"], ["cam1_10-00", "cam2_10-00", "cam2_11-00"]),
        (["/a/cam1/x.mkv", "/a/cam2/x.mkv", "/a/y.mkv", "/b/z.mkv"], ["cam1_x", "cam2_x", "y", "z"]),
        (["/a/cam1/day/10.mkv", "/a/cam2/day/10.mkv"], ["cam1_day_10", "cam2_day_10"]),
        (["/clip.mkv", "/a/clip.mkv"], ["clip", "a_clip"]),
        (["/a/clip.mkv", "/a/clip.mp4"], ["clip.mkv", "clip.mp4"]),
        (["/a/clip.mkv", "/a/clip.mp4", "/b/clip.mkv"], ["clip.mkv", "clip.mp4", "clip"]),
        (["/a/clip.mkv", "/a/clip.mkv"], ["clip", "clip"]),  # the same one twice: told apart by a number
        (["/a/b/x.mkv", "/a_b/x.mkv"], ["b_x", "a_b_x"]),
        (["/日/10.mkv", "/月/10.mkv"], ["10", "10"]),
    ],
)
def test_files_of_one_name_are_told_apart_by_their_folders(paths, names):
    """They were called 10-00 and 10-00-2: which camera was which, only a list of paths told."""
    assert names_of_files([Path(path) for path in paths]) == names


@given(stems)
def test_names_of_files_are_valid_whatever_they_are_called(stems):
    paths = [Path(f"/{stem}/{stem[:1]}.mp4") for stem in stems]
    for name in names_of_files(paths):
        assert check_stream_name(name) == name
        assert len(name) <= NAME_LENGTH
