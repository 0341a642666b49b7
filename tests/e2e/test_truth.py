"""The known answer of the sample clip: who is where, and who is enrolled."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from engine.archive.reader import FaceLine, face_lines
from engine.sample.truth import read_truth
from tests.e2e.conftest import Clip, facestream
from tests.e2e.truth import score

pytestmark = pytest.mark.e2e


def test_tracks_are_pure_and_only_the_enrolled_person_is_known(clip: Clip, tmp_path: Path):
    gallery = tmp_path / "gallery.sqlite"
    enrolled = facestream("enrol", "astronaut", clip.enrolment / "astronaut.png", "--gallery", gallery)
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
    shown = [line for line in face_lines(tmp_path / "out", lambda *_: True) if "scene" in line.files]
    assert {(line.face.stream, line.face.track_id) for line in shown} == {("sample", track.track_id) for track in result.tracks}
    assert min(likeness_in_place(tmp_path / "out", line) for line in shown) > 22


def likeness_in_place(directory: Path, line: FaceLine) -> float:
    """Return the PSNR between a crop and its place in the whole picture, in dB."""
    crop, scene = (cv2.imread(str(directory / line.files[name])) for name in ("original", "scene"))
    scale = scene.shape[1] / line.face.width_px
    assert scene.shape[1] == 960
    left, top, width, height = (round(side * scale) for side in line.face.crop_box)
    place = scene[top : top + height, left : left + width]
    return cv2.PSNR(place, cv2.resize(crop, place.shape[1::-1], interpolation=cv2.INTER_AREA))
