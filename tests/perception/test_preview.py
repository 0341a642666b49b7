"""A preview is the picture made smaller, with its faces where they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.contracts.frames import Frame, FrameTime, TrackedFace
from engine.perception.preview import LONGEST_PX, preview_of, reduced
from engine.pictures.colour import planes_from_bgr

TIME = FrameTime(7, 7, (1, 25), 0.28, 123)


def picture(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    x, y, w, h = box
    image[y : y + h, x : x + w] = (40, 220, 240)
    return image


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (1080, 1920), (641, 479), (320, 240), (33, 17), (4001, 9), (2, 2), (1, 1)]
)
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_it_opens_and_shows_each_box_at_its_place(width: int, height: int, matrix: str):
    box = (width // 4, height // 3, max(1, width // 5), max(1, height // 4))
    frame = Frame("cam", TIME, planes_from_bgr(picture(width, height, box), matrix))  # type: ignore[arg-type]
    face = TrackedFace(3, np.array(box, np.float32), None, 0.87654)
    preview, jpeg = preview_of(frame, [face], {3})
    assert (preview.stream, preview.frame_index, preview.captured_ns) == ("cam", 7, 123)
    assert (preview.width_px, preview.height_px) == (width, height)
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert max(shown.shape[:2]) <= LONGEST_PX
    assert max(shown.shape[:2]) == min(LONGEST_PX, max(width, height))
    (found,) = preview.boxes
    assert (found.track_id, found.score, found.accepted) == (3, 0.877, True)
    if min(shown.shape[:2]) < 30:
        return  # nothing is seen on it
    bright = np.argwhere(cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY) > 130)
    scale = np.array(shown.shape[:2]) / (height, width)
    low, high = bright.min(axis=0) / scale, (bright.max(axis=0) + 1) / scale
    slack = 2 / scale.min() + 1
    assert np.allclose(low, (found.y, found.x), atol=slack)
    assert np.allclose(high, (found.y + found.height, found.x + found.width), atol=slack)


def test_a_face_that_may_be_none_is_marked_as_such():
    frame = Frame("cam", TIME, planes_from_bgr(picture(64, 48, (8, 8, 8, 8))))
    faces = [TrackedFace(track, np.array([8, 8, 8, 8], np.float32), None, 0.5) for track in (1, 2)]
    preview, _ = preview_of(frame, faces, {2})
    assert [(box.track_id, box.accepted) for box in preview.boxes] == [(1, False), (2, True)]


def test_a_small_picture_is_not_copied():
    planes = planes_from_bgr(picture(64, 48, (8, 8, 8, 8)))
    assert reduced(planes, 64) is planes


@pytest.mark.parametrize(
    "box", [(100, 80, 60, 60), (-20, -30, 60, 60), (600, 440, 80, 80), (-90, 10, 40, 40), (700, 500, 9, 9)]
)
def test_faces_are_hidden_where_that_is_asked_for(box: tuple[int, int, int, int]):
    seed = np.random.default_rng(1).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    image = np.asarray(cv2.resize(seed, (640, 480)), np.uint8)
    frame = Frame("cam", TIME, planes_from_bgr(image))
    face = TrackedFace(1, np.array(box, np.float32), None, 0.5)
    hidden, plain = (
        cv2.imdecode(np.frombuffer(preview_of(frame, [face], (), veil)[1], np.uint8), cv2.IMREAD_GRAYSCALE).astype(int)
        for veil in (lambda part: np.full_like(part, 128), None)
    )
    x, y, width, height = (0.75 * side for side in box)
    inside = hidden[max(0, round(y)) : max(0, round(y + height)), max(0, round(x)) : max(0, round(x + width))]
    assert not inside.size or abs(inside - 128).max() < 12
    changed = np.argwhere(abs(hidden - plain) > 40)
    assert bool(inside.size) == bool(len(changed))
    if len(changed):
        slack = 10  # what one block of a JPEG spreads
        assert (changed.min(axis=0) >= np.array([y - 0.4 * height, x - 0.4 * width]) - slack).all()
        assert (changed.max(axis=0) <= np.array([y + 1.4 * height, x + 1.4 * width]) + slack).all()
