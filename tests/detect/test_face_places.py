"""Where a face lies in the second look's square, and back in the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.face_places import boxes_and_landmarks, places_in
from engine.detect.face_windows import CONTEXTS, SIDE_PX, face_windows, near_squares


@given(st.floats(-20, 300), st.floats(-20, 200), st.floats(1, 400), st.floats(1, 400), st.integers(0, 2**31), st.integers(1, 5))
def test_there_and_back_is_the_same(x: float, y: float, width: float, height: float, seed: int, count: int):
    rng = np.random.default_rng(seed)
    boxes = np.float32([[x, y, width, height]] * count)
    landmarks = rng.uniform(-50, 400, (count, 5, 2)).astype(np.float32)
    squares = near_squares((200, 300), boxes + rng.normal(0, 2, boxes.shape).astype(np.float32))
    assert (squares[:, 2] >= 2).all()
    again = boxes_and_landmarks(squares, places_in(squares, boxes, landmarks))
    np.testing.assert_allclose(again[0], boxes, atol=0.01)
    np.testing.assert_allclose(again[1], landmarks, atol=0.01)


def test_a_box_never_vanishes():
    places = np.zeros((1, 7, 2), np.float32)
    (box,), _ = boxes_and_landmarks(np.float32([[10, 20, 40]]), places)
    np.testing.assert_allclose(box, [29.5, 39.5, 1, 1])


def test_unknown_landmarks_stay_unknown():
    squares = near_squares((100, 100), np.float32([[20, 20, 30, 40]]))
    places = places_in(squares, np.float32([[20, 20, 30, 40]]), np.full((1, 5, 2), np.nan, np.float32))
    assert np.isfinite(places[:, :2]).all()
    assert np.isnan(places[:, 2:]).all()


def test_a_place_is_where_the_window_shows_it():
    luma = np.zeros((400, 600), np.uint8)
    luma[150:154, 260:264] = 255
    box = np.float32([[200, 100, 120, 150]])
    square = near_squares(luma.shape, box)
    assert square[0, 2] == round(CONTEXTS[0] * np.sqrt(120 * 150))
    dot = np.full((1, 5, 2), (262.0, 152.0), np.float32)
    (place,) = places_in(square, box, dot)[:, 2]
    near = face_windows(luma, box)[0, 0].astype(float)
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    seen = np.array([(columns * near).sum(), (rows * near).sum()]) / near.sum()
    np.testing.assert_allclose(seen, SIDE_PX * (place + 0.5), atol=0.5)
