"""Faces that are carried go with what moves under them, and no further than that is known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.coding import UNKNOWN, BlockMap
from engine.contracts.frames import Frame, FrameTime, Planes, TrackedFace
from engine.track.carry import Carrier

WIDTH, HEIGHT = 160, 112
STILL = (0, 0)
LANDMARKS = np.arange(10, dtype=np.float32).reshape(5, 2) + 60


def frame(index: int, motion: tuple[int, int] | None = STILL, *, told: bool = True, damaged: bool = False) -> Frame:
    """Return a frame of which all moves alike, in quarters of a pixel; None: nothing is predicted, as in a key frame."""
    step = np.array((UNKNOWN, UNKNOWN) if motion is None else motion, np.int8)
    field = np.broadcast_to(step[:, None, None], (2, HEIGHT // 16, WIDTH // 16))
    chroma = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    blocks = BlockMap(np.full(field.shape[1:], 30, np.uint8), motion=field if told else None)
    planes = Planes(np.zeros((HEIGHT, WIDTH), np.uint8), chroma, chroma, blocks=blocks)
    return Frame("cam", FrameTime(index, index, (1, 25), index / 25, 0), planes, detect=False, damaged=damaged)


def face(x: float = 60.0, landmarks: np.ndarray | None = LANDMARKS) -> TrackedFace:
    return TrackedFace(7, np.array([x, 40, 24, 30], np.float32), landmarks, 0.9, 0.8)


def begun(*faces: TrackedFace) -> Carrier:
    carrier = Carrier()
    carrier.found(frame(10), faces or [face()])
    return carrier


def test_a_face_goes_with_its_vectors_and_keeps_what_was_said_of_it():
    carrier = begun()
    (first,) = carrier.carry(frame(11, (12, -8)))
    (second,) = carrier.carry(frame(12, (4, 0)))
    assert first.box.tolist() == [63, 38, 24, 30]
    assert second.box.tolist() == [64, 38, 24, 30]
    assert second.landmarks is not None
    np.testing.assert_allclose(second.landmarks, LANDMARKS + np.array([4, -2]))
    assert (second.track_id, second.score, second.faceness) == (7, 0.9, 0.8)


def test_over_a_key_frame_it_goes_on_and_over_a_lost_frame_twice_as_far():
    carrier = begun()
    carrier.carry(frame(11, (8, 0)))
    assert carrier.carry(frame(12, None))[0].box[0] == 64
    assert carrier.carry(frame(14, (8, 0)))[0].box[0] == 68


def test_without_landmarks_the_box_goes_alone():
    (carried,) = begun(face(landmarks=None)).carry(frame(11, (4, 4)))
    assert (carried.box[0], carried.landmarks) == (61, None)


def test_a_face_that_leaves_the_picture_is_given_up_and_the_others_stay():
    carrier = begun(face(), face(145.0))
    assert len(carrier.carry(frame(11, (8, 0)))) == 2
    assert [carried.box[0] for carried in carrier.carry(frame(12, (8, 0)))] == [64]


@pytest.mark.parametrize("unsure", [frame(11, told=False), frame(11, damaged=True), frame(10), frame(3), frame(17)])
def test_where_nothing_is_told_or_too_much_passed_nothing_is_carried(unsure):
    carrier = begun()
    assert carrier.carry(unsure) == []
    assert carrier.carry(frame(12)) == [], "nor later"


def test_a_cut_and_a_detection_without_faces_end_it():
    carrier = begun()
    carrier.forget()
    assert carrier.carry(frame(11)) == []
    carrier = begun()
    carrier.found(frame(11), [])
    assert carrier.carry(frame(12)) == []
