from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError
from engine.source.names import NAME_LENGTH, name_from, name_streams

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
