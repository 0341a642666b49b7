"""What the second look learns from: the places of a view are where its picture shows them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.detect.face_windows import SIDE_PX  # noqa: E402
from trt_build.systems.second_look import samples  # noqa: E402
from trt_build.systems.second_look.samples import _Place, mirrored, windows_of  # noqa: E402

_ROWS, _COLUMNS = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("size", [24.0, 60.0, 150.0])
def test_a_landmark_is_where_the_window_shows_it(monkeypatch: pytest.MonkeyPatch, at: int, size: float):
    """A bright spot on one landmark of a dark picture, seen in views that are turned, scaled, moved and mirrored."""
    monkeypatch.setattr(samples, "_UNTOUCHED", 1.0)
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    box = np.array([200, 150, size, 1.2 * size], np.float32)
    points = (box[:2] + shares * box[2:]).astype(np.float32)
    rows, columns = np.mgrid[:480, :640] + 0.5
    away = np.square(columns - points[at, 0]) + np.square(rows - points[at, 1])
    image = np.asarray(255 * np.exp(-away / (2 * (0.06 * size) ** 2)), np.uint8)
    rng = np.random.default_rng(at)
    for scale in (0.3, 0.8, 1.5):
        windows, places = windows_of(_Place(image, box, scale, (box, points)), 4, rng)
        for window, place, is_mirrored in zip(windows[:, 0].astype(float), places, (True, False, True, False), strict=True):
            seen = np.array([(_COLUMNS * window).sum(), (_ROWS * window).sum()]) / window.sum()
            shown = (2, 3, 4, 5, 6)[at] if not is_mirrored else (3, 2, 4, 6, 5)[at]
            np.testing.assert_allclose(seen, SIDE_PX * (place[shown] + 0.5), atol=0.8)
            assert (place[0] < place[2:].min(axis=0)).all()
            assert (place[1] > place[2:].max(axis=0)).all()


def test_mirrored_twice_is_the_same():
    places = np.random.default_rng(0).normal(0, 0.3, (6, 7, 2)).astype(np.float32)
    np.testing.assert_array_equal(mirrored(mirrored(places)), places)
    assert not np.array_equal(mirrored(places), places)


def test_what_is_no_face_has_no_place():
    image = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
    _, places = windows_of(_Place(image, np.float32([50, 50, 30, 30]), 1.0), 3, np.random.default_rng(0))
    assert np.isnan(places).all()
