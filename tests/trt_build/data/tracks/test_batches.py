from __future__ import annotations

import cv2
import numpy as np
import pytest

from trt_build.data.tracks.batches import TrackBatches, mirrored_maps, with_errors
from trt_build.data.tracks.clips import Tracks
from trt_build.recipes.timed import BudgetSpec
from trt_build.recipes.track import TrackDataSpec, TrackDrawSpec, TrackRecipe


def recipe(**draw) -> TrackRecipe:
    data = TrackDataSpec(train="a", validation="b", sizes_px=(12,), passes=(1,))
    return TrackRecipe(name="x", budget=BudgetSpec(steps=1), data=data, draw=TrackDrawSpec(**draw), batch=4)


def tracks(count: int = 5) -> Tracks:
    rng = np.random.default_rng(0)
    affine = np.tile(np.eye(2, 3, dtype=np.float32), (count, 8, 1, 1))
    affine[:, 1:] += rng.normal(0, 0.02, (count, 7, 2, 3)).astype(np.float32)
    low = np.arange(count, dtype=np.uint8)[:, None, None, None] * 10 + np.zeros((count, 8, 12, 12), np.uint8)
    return Tracks(low, np.repeat(np.repeat(low[:, 0], 4, 1), 4, 2), affine)


def test_a_batch_depends_on_its_step_alone_and_fits_its_budget_of_pixels():
    batches = TrackBatches({12: [tracks()]}, recipe(frames=(8,), pixels=3 * 8 * 144))
    luma, affine, weight, truth = batches[7]
    assert (luma.shape, affine.shape, weight.shape, truth.shape) == ((3, 8, 1, 12, 12), (3, 8, 2, 3), (3, 8), (3, 1, 48, 48))
    assert {one.dtype for one in batches[7]} == {np.dtype(np.float32)}
    for one, other in zip(batches[7], TrackBatches({12: [tracks()]}, recipe(frames=(8,), pixels=3456))[7], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(luma[:, 0, 0, 0, 0], truth[:, 0, 0, 0], atol=1e-6)


def test_somebody_elses_frame_is_mostly_given_no_weight_and_is_never_the_reference():
    batches = TrackBatches({12: [tracks(20)]}, recipe(frames=(4,), wrong_share=1.0, caught_share=0.5, weighed_share=0.0))
    luma, _, weight, _ = (np.concatenate(part) for part in zip(*(batches[step] for step in range(40)), strict=True))
    shown = luma[:, :, 0, 0, 0]
    wrong = np.abs(shown - shown[:, :1]) > 1e-3
    assert wrong.sum(axis=1).max() == 1
    assert 0.3 < (weight[wrong] == 0).mean() < 0.7
    assert (weight[~wrong] == 0).mean() < 0.05, "only where the other frame is as bright"


@pytest.mark.parametrize("size", [(48, 48)])
def test_maps_of_mirrored_pictures_mirror_what_they_show(size):
    picture = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, size).astype(np.float32), (0, 0), 3)
    affine = np.array([[[0.98, 0.1, 2.5], [-0.07, 1.03, -1.5]]], np.float32)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(picture, affine[0], size, flags=way)
    mirrored = cv2.warpAffine(np.ascontiguousarray(picture[:, ::-1]), mirrored_maps(affine, size[1])[0], size, flags=way)
    assert np.abs(mirrored[:, ::-1] - seen)[8:-8, 8:-8].max() < 2.0


def test_registration_errs_about_the_middle_and_never_in_the_reference():
    affine = np.tile(np.eye(2, 3, dtype=np.float32), (8, 1, 1))
    rng, centre = np.random.default_rng(3), np.array([23.5, 23.5, 1.0])
    many = np.stack([with_errors(affine, 48, TrackDrawSpec(shift_px=0.15, gross_share=0.0), rng) for _ in range(50)])
    assert (many[:, 0] == affine[0]).all()
    assert 0.1 < ((many - affine)[:, 1:] @ centre).std() / 4 < 0.25
    gross = with_errors(affine, 48, TrackDrawSpec(shift_px=0.0, gross_share=1.0), rng)
    assert np.abs((gross - affine)[1:] @ centre).max() / 4 > 2
