"""What a detector gets wrong on its training material."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from engine.contracts.frames import Detections
from tests.trt_build.data.scenes.made import drawn_face, recipe
from trt_build.data.scenes.hard import CLIPS, PICTURES, Hard
from trt_build.data.scenes.material import Material
from trt_build.data.scenes.teacher import Labelled
from trt_build.recipes.detector import MiningSpec
from trt_build.systems.detector.mining import mine, wrong_boxes
from trt_build.systems.detector.training import network_of

FACES = np.float32([(10, 10, 20, 24), (60, 10, 20, 24), (100, 60, 8, 10)])
DOUBTFUL = np.float32([(10, 60, 20, 24)])
TRUTH = Labelled(np.zeros((90, 120), np.uint8), FACES, np.ones((3, 5, 2), np.float32), DOUBTFUL)


def found(*boxes: tuple[float, ...]) -> Detections:
    """Boxes with their scores."""
    table = np.float32(boxes).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4], np.zeros((len(table), 5, 2), np.float32))


def test_a_false_alarm_is_away_from_all_faces_and_a_missed_face_is_found_with_too_little():
    seen = found((11, 10, 20, 24, 0.9), (60, 10, 20, 24, 0.4), (12, 61, 20, 24, 0.8), (60, 60, 20, 24, 0.35))
    false, missed = wrong_boxes(TRUTH, seen, MiningSpec(missed_score=0.5), 12)
    assert false.tolist() == [[60, 60, 20, 24]]
    assert missed.tolist() == [FACES[1].tolist()], "the third is too small to be missed"


@pytest.mark.parametrize(("least", "score", "count"), [(8, 0.5, 3), (12, 0.5, 2), (12, 0.0, 0)])
def test_of_nothing_found_all_faces_are_missed_where_they_are_asked_for(least, score, count):
    false, missed = wrong_boxes(TRUTH, found(), MiningSpec(missed_score=score), least)
    assert (len(false), len(missed)) == (0, count)


def test_places_name_their_picture_and_the_newest_are_kept():
    made = recipe()
    face = drawn_face()
    material = Material([face], [], [], [face, face], [], [face])
    spec = MiningSpec(pictures=40, faces=0.5, clips=0.5, keep=10, min_score=0.99, missed_score=0.999)
    before = Hard([], np.full((3, 6), 7, np.float32))
    after = mine(network_of(made).eval(), material, before, spec, made.scene.side_px, np.random.default_rng(3))
    assert len(after.places) == spec.keep
    assert not after.windows
    assert {(int(kind), int(number)) for kind, number in after.places[:, :2]} == {(PICTURES, 0), (PICTURES, 1), (CLIPS, 0)}
    np.testing.assert_array_equal(after.places[:, 2:], np.tile(face.boxes, (spec.keep, 1)))
