"""``search`` for somebody of whom there is a track, and no photograph."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import complains
from tests.desk.results import write_result


def test_a_track_is_looked_for_in_other_results(facestream, results):
    """`search` took a track, which `compare` takes, for a photograph that is not there."""
    told = json.loads(facestream("search", "one:yard/1", *results, "--json", "--page", "h.html").out)
    assert (told["photograph"]["name"], told["tracks"], len(told["hits"])) == ("one:yard/1", 4, 4)
    assert any("Between two recordings" in notice for notice in told["notices"])
    best = told["hits"][0]
    assert (best["stream"], best["track_id"]) == ("gate", 2)
    assert "one:yard/1" in Path("h.html").read_text()
    assert "the person looked for" in facestream("search", "one:1", "two").out
    complains(facestream("search", "one:yard/9", "two"), 2, "has no track 9 of yard")
    complains(facestream("search", "one:1", "two", "--face", "2"), 2, "--face is for a photograph")
    write_result(Path("three"), [("ann", "", 0)], sha256="ab" * 32)
    complains(facestream("search", "one:1", "three"), 2, "two embedders cannot be compared")


def test_the_name_of_a_track_is_broken_nowhere(facestream, results, monkeypatch):
    """At 80 columns the column of tracks was folded in the middle of a name of more than 40 letters."""
    long = "monday-evening-entrance-north-side-camera"
    Path("one").rename(long)
    for width in ("80", "60"):
        monkeypatch.setenv("COLUMNS", width)
        assert f"{long}:yard/1" in facestream("search", "two:gate/1", long).out


def test_the_number_of_a_track_stays_whole_in_a_narrow_caption(facestream, results):
    """A caption of `yard/12` as narrow as its picture was broken between the 1 and the 2."""
    facestream("people", *results, "--page", "p.html")
    assert "yard · track\u00a01 · " in Path("p.html").read_text(encoding="utf-8")
