from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Detections
from engine.detect.nested import one_a_face, shares, without_nested

FACE = (100, 100, 60, 80)


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    """Best first; the score names the box."""
    count = len(boxes)
    scores = np.linspace(0.9, 0.5, count, dtype=np.float32)
    marks = np.broadcast_to(np.arange(count, dtype=np.float32)[:, None, None], (count, 5, 2))
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, marks, scores / 2)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ((115, 145, 30, 25), True),  # the mouth
        ((110, 110, 40, 30), True),  # the eyes
        ((80, 80, 100, 130), True),  # around it
        ((112, 160, 35, 30), False),  # the chin and the neck
        ((150, 95, 60, 80), False),  # a neighbour who covers it partly
        ((140, 130, 50, 60), False),
        ((100, 200, 60, 80), False),
        ((300, 300, 5, 5), False),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_box_within_another_is_the_same_face(other, is_same, order):
    given = found(*(FACE, other)[::order])
    kept = without_nested(given)
    assert len(kept) == (1 if is_same else 2)
    np.testing.assert_array_equal(kept.boxes, given.boxes[: len(kept)])
    np.testing.assert_array_equal(kept.scores, given.scores[: len(kept)])
    np.testing.assert_array_equal(kept.landmarks, given.landmarks[: len(kept)])
    np.testing.assert_array_equal(kept.faceness, given.faceness[: len(kept)])


@pytest.mark.parametrize(
    ("other", "is_same"), [((115, 145, 30, 25), True), ((125, 100, 60, 80), True), ((150, 95, 60, 80), False)]
)
def test_a_box_on_the_same_place_is_the_same_face_too(other, is_same):
    assert len(one_a_face(found(FACE, other))) == (1 if is_same else 2)
    assert len(without_nested(found(FACE, (125, 100, 60, 80)))) == 2


def test_what_is_left_out_takes_nothing_with_it():
    """A large doubtful box around two faces does not cost the second of them."""
    assert len(without_nested(found(FACE, (90, 90, 200, 100), (200, 100, 60, 80)))) == 2


def test_nothing_stays_nothing():
    assert len(without_nested(Detections.empty())) == 0


def test_shares_are_of_the_smaller_box():
    box = np.float32([0, 0, 10, 10])
    others = np.float32([[0, 0, 10, 10], [5, 0, 10, 10], [2, 2, 2, 2], [-5, -5, 40, 40], [20, 0, 5, 5], [3, 3, 0, 0]])
    np.testing.assert_allclose(shares(box, others), [1, 0.5, 1, 1, 0, 0], atol=1e-6)
