import numpy as np
import pytest

from trt_build.data.scenes.compose import Scene
from trt_build.systems.detector.targets import IGNORE, LEARN, NOTHING, SIZES, targets_of

SIDE = 160
POINTS = np.zeros((1, 5, 2), np.float32)


def scene(box, ignored=()):
    boxes = np.array([box], np.float32) if box else np.zeros((0, 4), np.float32)
    points = np.tile(boxes[:, None, :2] + boxes[:, None, 2:] / 2, (1, 5, 1))
    return Scene(np.zeros((SIDE, SIDE), np.uint8), boxes, points, np.array(ignored, np.float32).reshape(-1, 4))


def by_level(values):
    counts = [(SIDE // stride) ** 2 for stride in (8, 16, 32)]
    return dict(zip((8, 16, 32), np.split(values, np.cumsum(counts)[:-1]), strict=True))


@pytest.mark.parametrize("size", [8, 12, 20, 30, 50, 60, 90, 140])
def test_each_face_is_learnt_by_the_levels_of_its_size(size):
    targets = targets_of(scene((80 - size / 2, 80 - size / 2, size, size)))
    for stride, states in by_level(targets.state).items():
        low, high = SIZES[stride]
        assert (states == LEARN).any() == (low <= size < high)
    learnt = targets.state == LEARN
    assert (targets.boxes[learnt] == [80 - size / 2, 80 - size / 2, size, size]).all()


def test_inside_a_large_face_there_is_no_small_one():
    levels = by_level(targets_of(scene((20, 20, 120, 120))).state)
    states = {stride: found.reshape(SIDE // stride, -1) for stride, found in levels.items()}
    assert not states[8].any()
    assert not states[16].any()
    assert states[32][2, 2] == LEARN
    assert states[32][0, 0] == NOTHING


def test_points_are_counted_from_the_cell_in_strides():
    targets = targets_of(scene((60, 60, 20, 20)))
    states, points = by_level(targets.state)[8], by_level(targets.points)[8]
    for cell in np.flatnonzero(states == LEARN):
        row, column = divmod(int(cell), SIDE // 8)
        place = points[cell].reshape(5, 2) * 8 + np.array([column, row]) * 8
        np.testing.assert_allclose(place, 70, atol=1e-4)


def test_what_is_doubtful_is_neither_a_face_nor_none():
    targets = targets_of(scene(None, [(40, 40, 60, 60)]))
    states = by_level(targets.state)[8].reshape(SIDE // 8, -1)
    assert (states[6:12, 6:12] == IGNORE).all()
    assert (states[:4] == 0).all()
    assert not (targets.state == LEARN).any()


def test_an_empty_scene_teaches_nothing_but_emptiness():
    assert not targets_of(scene(None)).state.any()


def test_of_two_faces_a_cell_learns_the_smaller():
    boxes = np.array([[40, 40, 80, 80], [70, 70, 24, 24]], np.float32)
    points = np.repeat(boxes[:, None, :2], 5, axis=1)
    targets = targets_of(Scene(np.zeros((SIDE, SIDE), np.uint8), boxes, points, np.zeros((0, 4), np.float32)))
    states, learnt = by_level(targets.state)[16].reshape(10, 10), by_level(targets.boxes)[16].reshape(10, 10, 4)
    assert states[5, 5] == LEARN
    assert learnt[5, 5, 2] == 24
