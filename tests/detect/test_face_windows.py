from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.detect.face_windows import CONTEXTS, SIDE_PX, face_windows


def spot(width: int, height: int, x: float, y: float, radius: int) -> np.ndarray:
    image = np.full((height, width), 60, np.uint8)
    cv2.circle(image, (round(x), round(y)), radius, 220, -1)
    return image


@pytest.mark.parametrize("size", [6, 12, 24, 60, 180])
def test_the_box_fills_its_share_of_each_window_at_any_size(size):
    luma = spot(900, 700, 400, 300, size // 2)
    (windows,) = face_windows(luma, np.float32([[400 - size / 2, 300 - size / 2, size, size]]))
    assert windows.shape == (len(CONTEXTS), SIDE_PX, SIDE_PX)
    for window, context in zip(windows, CONTEXTS, strict=True):
        rows, columns = np.nonzero(window > 140)
        assert abs(rows.mean() - (SIDE_PX - 1) / 2) < 2.5
        assert abs(columns.mean() - (SIDE_PX - 1) / 2) < 2.5
        area = np.pi / 4 * (SIDE_PX / context) ** 2
        assert len(rows) == pytest.approx(area, rel=0.45 if size < 20 else 0.2)


@pytest.mark.parametrize(
    "box",
    [
        (-30, -30, 60, 60),
        (280, 200, 80, 80),
        (-500, -500, 20, 20),
        (5000, 100, 20, 20),
        (10, 10, 0, 0),
        (-1e5, -1e5, 2e5, 2e5),
        (100, 100, 1e7, 1e7),
        (10, 10, -5, 20),
    ],
)
def test_boxes_at_and_beyond_the_border_see_it_go_on(box):
    luma = np.full((240, 320), 90, np.uint8)
    assert (face_windows(luma, np.float32([box])) == 90).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 5)])
def test_strips_and_specks_are_taken(shape):
    luma = np.full(shape, 33, np.uint8)
    assert (face_windows(luma, np.float32([[0, 0, 20, 20], [0, 0, 1, 1]])) == 33).all()


def test_no_box_no_window():
    assert face_windows(np.zeros((50, 50), np.uint8), np.zeros((0, 4), np.float32)).shape == (
        0,
        len(CONTEXTS),
        SIDE_PX,
        SIDE_PX,
    )
