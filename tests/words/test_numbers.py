from __future__ import annotations

import re
from pathlib import Path

import pytest

import engine
from engine.words.numbers import count, told_apart, track_numbers


@pytest.mark.parametrize(("number", "said"), [(0, "0 tracks"), (1, "1 track"), (2, "2 tracks"), (12000, "12,000 tracks")])
def test_one_of_something_is_not_several(number, said):
    assert count(number, "track") == said


def test_a_noun_that_has_a_plural_of_its_own():
    assert [count(number, "person", "people") for number in (1, 3)] == ["1 person", "3 people"]


def test_the_command_line_counts_with_it():
    """ "1 tracks" stood in the summary of a run. What is never one, or a rate, may stand as it is."""
    nouns = "tracks|faces|people|frames|messages|cameras|streams|recordings|persons|lines|models|packages|clients|runs|drops"
    several = re.compile(rf"\{{[^{{}}:A-Z]+(:,)?\}} ({nouns})\b")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((Path(engine.__file__).parent / "cli").glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if several.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], "there are none"),
        ([2], "there is only 2"),
        ([1, 2], "there are 1, 2"),
        ([*range(1, 12)], "there are 11, from 1 to 11"),
    ],
)
def test_tracks_are_told_by_their_numbers(numbers, words):
    assert track_numbers(numbers) == words


@pytest.mark.parametrize(
    ("value", "limit", "digits", "told"),
    [
        (23.4, 48, 0, ("23", "48")),
        (47.7, 48, 0, ("47.7", "48.0")),
        (47.996, 48, 0, ("47.996", "48.000")),
        (0.0619, 0.0621, 3, ("0.0619", "0.0621")),
        (1.904, 1.9, 1, ("1.904", "1.900")),
        (0.25, 0.25, 2, ("0.250000", "0.250000")),
    ],
)
def test_what_does_not_meet_a_limit_is_not_told_as_what_does(value, limit, digits, told):
    assert told_apart(value, limit, digits) == told
