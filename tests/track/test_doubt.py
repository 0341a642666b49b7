"""The cheap signs: they speak where a face may have changed, and seldom else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.track.doubt import USUAL, changed, distance_widths, distances_widths, jumped, likeness, patch_of
from tests.assets import shared
from tests.real_footage import frames


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([x, y, width, height], np.float32)


def texture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (24, 32)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_the_same_patch_is_alike_in_other_light_and_a_little_aside():
    picture = texture(1)
    before = patch_of(picture, box(100, 80, 60, 72))
    assert before is not None
    assert before.shape == (16, 16)
    for other in (picture, (picture * 0.5 + 40).astype(np.uint8)):
        for x, y in ((100, 80), (106, 76), (95, 85)):
            assert likeness(before, patch_of(other, box(x, y, 60, 72))) > 0.9


def test_another_patch_is_not():
    pairs = [
        (patch_of(texture(seed), box(100, 80, 60, 72)), patch_of(texture(seed + 1), box(100, 80, 60, 72))) for seed in range(40)
    ]
    assert np.mean([changed(likeness(before, now), USUAL) for before, now in pairs]) > 0.95


def test_nothing_to_see_is_no_sign():
    assert likeness(patch_of(texture(1), box(100, 80, 60, 72)), np.full((16, 16), 90, np.float32)) == 1.0


@pytest.mark.parametrize("outside", [box(-80, 10, 40, 50), box(400, 10, 40, 50), box(100, -90, 40, 50), box(330, 10, 40, 50)])
def test_a_box_outside_the_picture_has_no_patch(outside: np.ndarray):
    assert patch_of(texture(1), outside) is None


def test_a_box_over_the_border_has_one():
    patch = patch_of(texture(1), box(-20, -20, 60, 60))
    assert patch is not None
    assert patch.shape == (16, 16)
    assert np.isfinite(patch).all()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (box(100, 100, 20, 26), False),
        (box(110, 100, 20, 26), False),
        (box(120, 100, 20, 26), True),
        (box(98, 96, 28, 34), False),
        (box(90, 90, 36, 46), True),
        (box(104, 104, 12, 16), True),
    ],
)
def test_a_jump_is_further_than_faces_move(now: np.ndarray, expected: bool):
    assert jumped(box(100, 100, 20, 26), now) is expected
    assert jumped(now, box(100, 100, 20, 26)) is expected


def test_distances_are_in_widths_of_the_larger():
    boxes = np.stack([box(0, 0, 20, 20), box(40, 0, 20, 20), box(0, 0, 40, 40)])
    expected = [[0, 2, 0.3536], [2, 0, 0.7906], [0.3536, 0.7906, 0]]
    np.testing.assert_allclose(distances_widths(boxes), expected, atol=1e-3)
    for one in range(3):
        for other in range(3):
            assert distance_widths(boxes[one], boxes[other]) == pytest.approx(expected[one][other], abs=1e-3)


def test_a_real_signer_is_hardly_ever_doubted():
    """The place of the face hardly changes; the face is turned, and covered by hands now and then."""
    before, found = None, []
    for _, planes in frames(shared("video/asl_book.mkv"), last=100):
        now = patch_of(planes.y, box(290, 60, 60, 75))
        if before is not None:
            found.append(likeness(before, now))
        before = now
    assert np.mean([changed(alike, USUAL) for alike in found]) < 0.05
