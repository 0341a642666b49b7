"""Subjects tell streams and kinds apart, whatever they are called; a stream that takes them all is known by its patterns."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given

from engine.bridge.names import Key, check_prefix
from engine.bridge.subjects import all_subjects_of, covers, stream_name_of, subject_of
from tests.bridge.test_names import KEYS


@given(KEYS)
def test_a_subject_gives_kind_and_stream_back(key: Key) -> None:
    levels = subject_of("eu.site-7", key, is_gap=False).split(".")
    assert levels[:4] == ["facestream", "eu", "site-7", "v1"]
    assert [unquote(level) for level in levels[4:]] == [key.kind, key.stream]
    assert subject_of("eu.site-7", key, is_gap=True).split(".")[4] == "gap"


def test_what_belongs_to_the_run_has_no_level_of_a_stream() -> None:
    assert subject_of("site", Key("run1", "", "end", 0, 0), is_gap=False) == "facestream.site.v1.end"


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
