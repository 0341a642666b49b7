"""One track, one person, through the whole of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import facestream
from tests.e2e.stills import render_stills

pytestmark = pytest.mark.e2e
QUICK = ["--detector", "grey", "--generator", "bicubic"]
"""Tracks are made of what is detected, and of how its originals look."""


def tracks_of(directory: Path) -> list[dict]:
    lines = [json.loads(line) for line in (directory / "tracks.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["ended"]]


@pytest.mark.parametrize("every", [1, 4])
def test_stills_that_are_cut_every_second_give_each_person_a_track(tmp_path: Path, every: int):
    """With ``every`` 4 the detector sees none of the first frames of a scene but one."""
    people = render_stills(tmp_path / "stills.mp4")
    done = facestream("run", "--source", tmp_path / "stills.mp4", "--out", tmp_path / "out", *QUICK, "--every", every)
    assert done.returncode == 0, done.stderr
    seconds = [
        range(int(track["first_pts_seconds"]), int(track["last_pts_seconds"]) + 1) for track in tracks_of(tmp_path / "out")
    ]
    assert all(len(span) == 1 for span in seconds), "no track reaches over a cut"
    assert sorted(span[0] for span in seconds) == list(range(len(people)))
    counters = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["counters"]
    assert counters["tracks.cut"] == len(people) - 1


def test_the_rules_can_be_switched_off(tmp_path: Path):
    people = render_stills(tmp_path / "stills.mp4")
    config = tmp_path / "run.yaml"
    config.write_text("track:\n  scene_cuts: false\n  same_person: false\n", encoding="utf-8")
    done = facestream("run", config, "--source", tmp_path / "stills.mp4", "--out", tmp_path / "out", *QUICK)
    assert done.returncode == 0, done.stderr
    assert len(tracks_of(tmp_path / "out")) < len(people)
