"""What stands under an erased person's name only because it looks like them is left, and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import here
from tests.desk.results import write_result


@pytest.fixture
def facestream(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *arguments: here(capsys, *arguments)


def test_tracks_that_only_look_like_the_person_are_listed_and_left(facestream, tmp_path: Path) -> None:
    write_result(tmp_path / "runs" / "one", [("ann", "Ann", 0), ("bea", "", 10), ("ann", "", 20)])
    write_result(tmp_path / "runs" / "two", [("ann", "", 0), ("bea", "Bea", 10)], "gate", "run2")
    tried = facestream("erase", "Ann", "--output", "runs", "--dry-run", "--json")
    assert [run["look_alikes"] for run in json.loads(tried.out)["runs"]] == [["yard/3"], ["gate/1"]]
    done = facestream("erase", "Ann", "--output", "runs")
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "looks like them and was shown under the name by `people`; kept, as nobody has confirmed it: yard/3" in said
    assert "done, except for what is listed above, which is for you to judge" in said
    left = json.loads(facestream("people", "runs/one", "runs/two", "--json").out)["people"]
    assert {(one["name"], len(one["tracks"])) for one in left} == {("", 2), ("Bea", 2)}


def test_what_is_named_then_goes_too(facestream, tmp_path: Path) -> None:
    write_result(tmp_path / "one", [("ann", "Ann", 0), ("ann", "", 20)])
    assert facestream("people", "one", "--name", "yard/2", "Ann").code == 0
    done = facestream("erase", "Ann", "--output", "one")
    assert (done.code, "2 tracks" in done.out, "looks like them" in done.out) == (0, True, False)


def test_without_anything_of_the_person_nothing_is_compared(facestream, tmp_path: Path) -> None:
    write_result(tmp_path / "one", [("ann", "", 0), ("ann", "", 20)])
    missing = facestream("erase", "Ann", "--output", "one")
    assert (missing.code, "looks like them" in missing.out) == (1, False)
