"""Runs that were cut, and what must hold of the directory at the end."""

import json

import pytest

from engine.archive import rewind
from engine.archive.record_check import check_records
from tests.archive.jobs import Cut, attempt, result


def check_whole(directory, job):
    """The directory holds what an undisturbed run finds, everything in it is intact, and nothing else is there."""
    assert result(directory) == (job.faces, job.tracks)
    found = check_records(directory)
    assert (found.broken, found.unreadable) == (set(), 0)
    tracks, lines = (_lines(directory / name) for name in ("tracks.jsonl", "faces.jsonl"))
    named = {name for line in (*lines, *tracks) for name in line.get("files", {}).values()}
    assert {path.relative_to(directory).as_posix() for path in (directory / "faces").rglob("*.jpg")} == named
    keys = [(line["run_id"], line["stream"], line["seq"]) for line in lines]
    assert len(set(keys)) == len(keys)
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]
    assert json.loads((directory / "run.json").read_text())["outcome"] == "completed"


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def cut_somewhere(directory, job, seed, after):
    with pytest.raises(Cut):
        attempt(directory, job, seed, cut_after=after)


def killed_after(left, steps, patch):
    """Let what cuts the files back be killed after so many of its steps."""

    def killed(original):
        def step(*arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            return original(*arguments)

        return step

    for name in steps:
        patch.setattr(rewind, name, killed(getattr(rewind, name)))
