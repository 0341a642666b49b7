"""The known answer of the sample clip: who is where, and who is enrolled."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sample.clip import read_truth
from tests.e2e.conftest import Clip, facestream
from tests.e2e.truth import score

pytestmark = pytest.mark.e2e


def test_tracks_are_pure_and_only_the_enrolled_person_is_known(clip: Clip, tmp_path: Path):
    gallery = tmp_path / "gallery.sqlite"
    enrolled = facestream("enroll", "astronaut", clip.enrolment / "astronaut.png", "--gallery", gallery)
    assert enrolled.returncode == 0, enrolled.stderr
    done = facestream("run", "--source", clip.video, "--out", tmp_path / "out", "--gallery", gallery, "--every", "2")
    assert done.returncode == 0, done.stderr
    result = score(tmp_path / "out", read_truth(clip.truth))
    assert len(result.tracks) >= 3
    assert result.false_faces == 0
    assert result.purity >= 0.95
    known = {track.identity for track in result.tracks if track.decision == "known"}
    assert known == {"astronaut"}
    mine = [track.cosine_original for track in result.tracks if track.identity == "astronaut"]
    others = [track.cosine_original for track in result.tracks if track.identity != "astronaut"]
    assert max(mine) > max(others)
