import numpy as np
import pytest

from engine.enrolment.turns import turn_boxes, turn_picture, turn_points


@pytest.mark.parametrize("turn", range(-3, 5))
def test_boxes_and_points_go_where_the_pixels_go(turn):
    picture = np.zeros((30, 50), np.uint8)
    picture[4:9, 12:32] = 100
    picture[7, 20] = 200
    turned = turn_picture(picture, turn)
    (x, y, width, height), *_ = turn_boxes(np.float32([[12, 4, 20, 5]]), turn, 50, 30).astype(int)
    assert (turned[y : y + height, x : x + width] >= 100).all()
    assert (turned >= 100).sum() == width * height
    column, row = turn_points(np.float32([[20, 7]]), turn, 50, 30).astype(int)[0]
    assert turned[row, column] == 200
