import numpy as np
import pytest

from tests.trt_build.data.scenes.made import BOX, POINTS
from trt_build.data.scenes.covers import cover_faces


@pytest.mark.parametrize("seed", range(40))
def test_covers_lie_on_the_face(seed):
    before = np.full((300, 300), 128, np.float32)
    shift = np.array([80, 80], np.float32)
    box = BOX + np.array([80, 80, 0, 0], np.float32)
    after = cover_faces(before, box[None], POINTS[None] + shift, 1.0, np.random.default_rng(seed))
    changed = after != before
    rows, columns = np.nonzero(changed)
    x, y, width, height = box.astype(int)
    assert 0.03 < changed[y : y + height, x : x + width].mean() < 0.7
    assert abs(columns.mean() - (x + width / 2)) < 0.75 * width, "a hand comes from one side"
    assert y - 0.5 * height < rows.mean() < y + 1.2 * height


def test_faces_without_known_points_and_tiny_ones_stay_as_they_are():
    before = np.full((200, 200), 128, np.float32)
    unknown = np.full((1, 5, 2), np.nan, np.float32)
    tiny = np.array([[50, 50, 8, 9]], np.float32)
    np.testing.assert_array_equal(cover_faces(before, BOX[None], unknown, 1.0, np.random.default_rng(0)), before)
    np.testing.assert_array_equal(cover_faces(before, tiny, POINTS[None] / 10, 1.0, np.random.default_rng(0)), before)
