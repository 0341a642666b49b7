"""The mark in the pixels: seen by nobody, found after JPEG and scaling, and in no picture that lacks it."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from skimage import data

from engine.marking import THRESHOLD, find_mark, put_mark
from engine.marking.imperceptible import SMALLEST_PX
from tests.marking.attacks import as_jpeg, false_alarm_bound, scaled


def enhanced(width=64, height=None):
    """Return a real face with as much detail as an enlarged one has."""
    height = height or width
    face = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)[30:190, 150:300]
    small = cv2.resize(face, (width // 3, height // 3), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


ATTACKS = {
    "none": lambda picture: picture,
    "JPEG 75": lambda picture: as_jpeg(picture, 75),
    "x0.75": lambda picture: scaled(picture, 0.75),
    "x0.75, JPEG 75": lambda picture: as_jpeg(scaled(picture, 0.75), 75),
    "JPEG 75, x0.75": lambda picture: scaled(as_jpeg(picture, 75), 0.75),
    "x0.75 bilinear, JPEG 75": lambda picture: as_jpeg(scaled(picture, 0.75, cv2.INTER_LINEAR), 75),
    "a row and a column lost": lambda picture: picture[1:, :-1],
    "x1.5": lambda picture: scaled(picture, 1.5, cv2.INTER_CUBIC),
    "squeezed": lambda picture: cv2.resize(
        picture, (picture.shape[1] * 2 // 3, picture.shape[0]), interpolation=cv2.INTER_AREA
    ),
    "contrast": lambda picture: np.clip(0.85 * picture.astype(np.float32) + 10, 0, 255).round().astype(np.uint8),
}


@pytest.mark.parametrize("size", [(64,), (61, 90), (88, 110), (136, 160), (500, 431)], ids=str)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_mark_is_found_after(attack, size):
    picture = enhanced(*size)
    marked = put_mark(picture)
    assert cv2.PSNR(picture, marked) > 45.5
    assert find_mark(ATTACKS[attack](as_jpeg(marked, 92))).score > THRESHOLD
    assert find_mark(ATTACKS[attack](as_jpeg(picture, 92))).score < THRESHOLD - 1


def test_where_the_face_of_a_small_picture_is_it_is_changed_least():
    for width in (88, 110, 136):
        picture = enhanced(width)
        change = (put_mark(picture).astype(float) - picture).mean(axis=2) ** 2
        edge = width // 4
        middle = change[edge:-edge, edge:-edge]
        around = (change.sum() - middle.sum()) / (change.size - middle.size)
        assert middle.mean() < 0.4 * around


def test_where_much_is_black_already_a_small_picture_is_marked_more_strongly():
    picture = enhanced(96, 120)
    picture[:, :20] = picture[90:] = 0
    marked = put_mark(picture)
    for attack in ("JPEG 75", "x0.75", "x0.75, JPEG 75"):
        assert find_mark(ATTACKS[attack](as_jpeg(marked, 92))).is_found, attack


@pytest.mark.parametrize("size", [64, 96, 200])
def test_a_picture_can_be_marked_itself(size):
    picture = enhanced(size)
    expected = put_mark(picture)
    assert put_mark(picture, in_place=True) is picture
    np.testing.assert_array_equal(picture, expected)


def test_some_programs_round_the_side_and_not_the_scale():
    """45.9 pixels of such a picture become 46, and its waves are a little longer than the picture."""
    marked = put_mark(enhanced())
    assert find_mark(as_jpeg(cv2.resize(marked, None, fx=0.717, fy=0.717), 90)).is_found


def test_a_picture_is_marked_in_the_same_way_each_time_and_stays_itself():
    picture = enhanced()
    before = picture.copy()
    np.testing.assert_array_equal(put_mark(picture), put_mark(picture))
    np.testing.assert_array_equal(picture, before)
    inside = np.all((picture > 8) & (picture < 247), axis=2)
    difference = (put_mark(picture).astype(int) - picture)[inside]
    assert (difference == difference[:, :1]).all(), "brightness alone: no colour is invented"


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_flat_picture_has_no_mark_and_can_have_one(level):
    flat = np.full((96, 80, 3), level, np.uint8)
    assert find_mark(flat).score < 2.5
    assert cv2.PSNR(flat, put_mark(flat)) > 47
    if level == 128:
        assert find_mark(put_mark(flat)).is_found


@pytest.mark.parametrize("shape", [(1, 1), (8, 300), (12, 12), (SMALLEST_PX - 1, 200)])
def test_what_is_too_small_stays_as_it_is(shape):
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert put_mark(picture) is picture
    assert not find_mark(picture).is_found


def test_no_unmarked_picture_comes_near():
    worst, rng = 0.0, np.random.default_rng(7)
    for picture in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket()):
        for _ in range(6):
            side = int(rng.choice([24, 48, 96, 200]))
            top, left = (int(rng.integers(0, size - side)) for size in picture.shape[:2])
            worst = max(worst, find_mark(picture[top : top + side, left : left + side, ::-1].copy()).score)
    for _ in range(6):
        worst = max(worst, find_mark(rng.integers(0, 256, (48, 64, 3), np.uint8)).score)
    assert worst < THRESHOLD - 1
    assert false_alarm_bound() < 1e-6


def test_a_large_picture_takes_little_memory_beside_itself():
    picture = np.random.default_rng(3).integers(0, 256, (2000, 1500, 3), np.uint8)
    tracemalloc.start()
    marked = put_mark(picture)
    assert find_mark(marked).is_found
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < picture.nbytes + 20e6
