"""Frames of one track come to lie on each other, whatever moved between them, and strangers are found out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.super_resolve.registration import reference_of, register
from tests.super_resolve.tracks import drawn_face, errors_px, moved, track
from trt_build.data.h264_bank import through_h264


@pytest.mark.parametrize(("px", "with_landmarks"), [(12, True), (12, False), (16, False), (32, True)])
def test_frames_lie_within_a_tenth_of_a_pixel(px, with_landmarks):
    apart = []
    for seed in range(2):
        lows, warps, points = track(px, 8, seed, noise=2.0)
        found = register(lows, points if with_landmarks else None, reference=seed)
        assert found.agrees.all()
        assert np.array_equal(found.warps[seed], np.eye(2, 3))
        apart += errors_px(found.at(1), warps, seed, px).tolist()
    assert np.median(apart) <= 0.1
    assert np.max(apart) <= 0.5


def test_frames_lie_on_each_other_after_h264():
    lows, warps, points = track(24, 8, seed=4, noise=1.5)
    canvas = [np.pad(low, 20, mode="edge") for low in lows]
    decoded = through_h264(canvas, (64, 64), crf=23)
    found = register([frame[20:44, 20:44] for frame in decoded], points, reference=0)
    assert np.median(errors_px(found.at(1), warps, 0, 24)) <= 0.15
    assert found.agrees.all()


def test_exposure_does_not_pull():
    lows, warps, points = track(24, 6, seed=1)
    plain = register(lows, points, reference=0)
    dimmed = [np.rint(low * (1 - 0.08 * index) + 3 * index).astype(np.uint8) for index, low in enumerate(lows)]
    found = register(dimmed, points, reference=0)
    assert found.agrees.all()
    assert np.abs(errors_px(found.at(1), warps, 0, 24) - errors_px(plain.at(1), warps, 0, 24)).max() < 0.05


@pytest.mark.parametrize(("wrong", "px"), [(0, 24), (3, 12)])
def test_another_person_is_found_out_even_as_the_reference(px, wrong):
    lows, _, points = track(px, 8, seed=2, noise=2.0)
    lows[wrong], _ = moved(drawn_face(seed=11), px, (0.3, 0.2), 0.0, 1.0)
    found = register(lows, points, reference=0)
    assert not found.agrees[wrong]
    assert found.agrees.sum() == 7
    assert found.likeness[wrong] < found.likeness[found.agrees].min()


def test_wrong_and_missing_landmarks_do_no_harm():
    lows, warps, points = track(24, 8, seed=5, noise=1.0)
    points[1, 3] += 15
    points[2, :4] = np.nan
    points[3] = np.random.default_rng(0).uniform(0, 24, (5, 2))
    some = [None if index == 4 else one for index, one in enumerate(points)]
    found = register(lows, some, reference=0)
    assert found.agrees.all()
    assert errors_px(found.at(1), warps, 0, 24).max() < 0.3


def test_crops_may_differ_in_size():
    lows, warps, points = track(28, 6, seed=6)
    cuts = [(0, 0), (2, 0), (0, 4), (2, 2), (4, 2), (0, 2)]
    crops = [low[y:, x:] for low, (x, y) in zip(lows, cuts, strict=True)]
    shifted = [one - np.array(cut) for one, cut in zip(points, cuts, strict=True)]
    expected = warps.copy()
    expected[:, :, 2] -= cuts
    found = register(crops, shifted, reference=1)
    assert errors_px(found.at(1), expected, 1, 26).max() < 0.2


def test_warps_fit_pictures_of_any_scale():
    lows, _, points = track(16, 3)
    found = register(lows, points, reference=0, scale=4)
    middle = np.array([7.0, 8.0])
    for scale in (1, 2, 8):
        for warp, same in zip(found.warps, found.at(scale), strict=True):
            there = warp @ [*((middle + 0.5) * 4 - 0.5), 1]
            here = same @ [*((middle + 0.5) * scale - 0.5), 1]
            assert (there + 0.5) / 4 == pytest.approx((here + 0.5) / scale, abs=1e-3)


@pytest.mark.parametrize("count", [1, 2])
def test_few_frames(count):
    lows, _, points = track(16, count)
    found = register(lows, points, reference=0)
    assert found.agrees.all()
    assert found.likeness.shape == (count,)


def test_two_that_differ_do_not_agree():
    lows, _, points = track(24, 2)
    lows[1] = 255 - lows[1]
    assert not register(lows, points, reference=0).agrees.any()


def test_flat_pictures_stay_where_they_are():
    found = register(np.full((3, 12, 12), 90, np.uint8), None, reference=1)
    assert np.isfinite(found.warps).all()
    assert np.abs(found.warps - np.eye(2, 3)).max() < 1e-3


def test_lists_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit together"):
        register(np.zeros((2, 8, 8), np.uint8), [None], reference=0)
    with pytest.raises(ValueError, match="do not fit together"):
        register([], None, reference=0)


def test_the_reference_is_the_best_crop():
    sharp = track(24, 1)[0][0]
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2.0)
    assert reference_of([blurred, sharp]) == 1
    assert reference_of([sharp, sharp[::2, ::2]]) == 0
    assert reference_of([blurred, sharp], [0.9, 0.2]) == 0
