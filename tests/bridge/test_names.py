"""Ids tell any two messages apart, whatever streams and runs are called."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bridge.names import Key, check_prefix, message_id, token
from engine.errors import ConfigError

NAMES = st.text(min_size=1) | st.sampled_from([".", "..", "*", ">", "a.b", "a b", "%2E", "ä", "\u202e", "a/b", "\r\n", "%"])
KEYS = st.builds(lambda run, stream, kind, seq: Key(run, stream, kind, seq, seq), NAMES, NAMES, NAMES, st.integers(0))
ONE_LEVEL = re.compile(r"[A-Za-z0-9_~%-]+")


@given(NAMES)
def test_any_name_is_one_level_of_a_subject_and_comes_back(name: str) -> None:
    assert ONE_LEVEL.fullmatch(token(name))
    assert unquote(token(name)) == name


@given(KEYS, KEYS)
def test_two_messages_have_two_ids(one: Key, other: Key) -> None:
    assert (message_id(one, is_gap=False) == message_id(other, is_gap=False)) == (one == other)
    assert message_id(one, is_gap=True) != message_id(other, is_gap=False)
    assert message_id(one, is_gap=False).isascii()


def test_what_belongs_to_the_run_names_no_stream() -> None:
    assert message_id(Key("run1", "", "end", 0, 0), is_gap=False) == "run1//end/0"


@pytest.mark.parametrize("prefix", ["", ".", "a..b", "a.", "a b", "a*", ">", "ä", "a\n"])
def test_a_prefix_that_is_no_subject_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="not usable in a subject"):
        check_prefix(prefix)
