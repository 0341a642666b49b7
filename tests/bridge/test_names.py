"""Subjects and ids tell any two messages apart, whatever streams and runs are called."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bridge.names import Key, all_subjects_of, check_prefix, covers, message_id, stream_name_of, subject_of, token
from engine.errors import ConfigError

NAMES = st.text(min_size=1) | st.sampled_from([".", "..", "*", ">", "a.b", "a b", "%2E", "ä", "\u202e", "a/b", "\r\n", "%"])
KEYS = st.builds(lambda run, stream, kind, seq: Key(run, stream, kind, seq, seq), NAMES, NAMES, NAMES, st.integers(0))
ONE_LEVEL = re.compile(r"[A-Za-z0-9_~%-]+")


@given(NAMES)
def test_any_name_is_one_level_of_a_subject_and_comes_back(name: str) -> None:
    assert ONE_LEVEL.fullmatch(token(name))
    assert unquote(token(name)) == name


@given(KEYS)
def test_a_subject_gives_kind_and_stream_back(key: Key) -> None:
    levels = subject_of("eu.site-7", key, is_gap=False).split(".")
    assert levels[:4] == ["facestream", "eu", "site-7", "v1"]
    assert [unquote(level) for level in levels[4:]] == [key.kind, key.stream]
    assert subject_of("eu.site-7", key, is_gap=True).split(".")[4] == "gap"


@given(KEYS, KEYS)
def test_two_messages_have_two_ids(one: Key, other: Key) -> None:
    assert (message_id(one, is_gap=False) == message_id(other, is_gap=False)) == (one == other)
    assert message_id(one, is_gap=True) != message_id(other, is_gap=False)
    assert message_id(one, is_gap=False).isascii()


def test_what_belongs_to_the_run_has_no_level_of_a_stream() -> None:
    assert subject_of("site", Key("run1", "", "end", 0, 0), is_gap=False) == "facestream.site.v1.end"
    assert message_id(Key("run1", "", "end", 0, 0), is_gap=False) == "run1//end/0"


@pytest.mark.parametrize("prefix", ["", ".", "a..b", "a.", "a b", "a*", ">", "ä", "a\n"])
def test_a_prefix_that_is_no_subject_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="not usable in a subject"):
        check_prefix(prefix)


def test_a_stream_is_named_after_its_site() -> None:
    assert stream_name_of(check_prefix("eu.site-7")) == "facestream-eu-site-7"


@pytest.mark.parametrize(
    ("pattern", "takes"),
    [
        (">", True),
        ("facestream.>", True),
        ("facestream.*.>", True),
        ("facestream.a.>", True),
        ("facestream.a.v1.>", True),
        ("*.*.*.>", True),
        ("facestream.a.v1.*", False),
        ("facestream.a.v1.face.>", False),
        ("facestream.a.v1", False),
        ("facestream.b.>", False),
        ("orders.>", False),
    ],
)
def test_whether_a_pattern_takes_all_of_a_site(pattern: str, takes: bool) -> None:
    assert covers(pattern, all_subjects_of("a")) is takes
