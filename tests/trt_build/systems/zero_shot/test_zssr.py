"""ZSSR: a network for each picture, learnt from the picture alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="zero-shot learning needs torch")

from trt_build.data import degradation  # noqa: E402
from trt_build.errors import DataError  # noqa: E402
from trt_build.measures.metrics import bicubic, psnr  # noqa: E402
from trt_build.systems.zero_shot.zssr import SURVEILLANCE, _stands_still, _turned, enlarge_zero_shot  # noqa: E402

CLEAN = replace(SURVEILLANCE, noise=0.0)
QUICK = replace(CLEAN, width=8, steps=12)


def stripes(angle, side=64):
    """Sharp edges that recur at every size: what a picture can learn from itself."""
    y, x = np.mgrid[0:side, 0:side]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / 13)
    return cv2.GaussianBlur(np.where(wave > 0, 200, 60).astype(np.float32), (0, 0), 0.6).astype(np.uint8)


def test_a_picture_learns_its_edges_from_itself():
    truth = np.stack([stripes(0.4), stripes(1.2)])
    low = np.stack([degradation.clean(picture, 32) for picture in truth])
    done = []
    found = enlarge_zero_shot(low, replace(CLEAN, width=16, steps=120), lambda *steps: done.append(steps))
    assert found.shape == truth.shape
    assert found.dtype == np.uint8
    assert done[-1] == (120, 120)
    for result, small, wanted in zip(found, low, truth, strict=True):
        assert psnr(result, wanted, 2) > psnr(bicubic(small, 2), wanted, 2) + 1.0


def test_without_steps_it_is_bicubic():
    low = np.stack([degradation.clean(stripes(0.9), 32)])
    found = enlarge_zero_shot(low, replace(QUICK, steps=0))
    assert np.abs(found[0].astype(int) - bicubic(low[0], 2)).max() <= 1


def test_pictures_do_not_know_each_other():
    low = np.stack([degradation.clean(stripes(angle), 32) for angle in (0.1, 0.7, 2.0)])
    together = enlarge_zero_shot(low, QUICK)
    for index in range(3):
        alone = enlarge_zero_shot(low[index : index + 1], QUICK)
        assert np.abs(together[index].astype(int) - alone[0]).max() <= 1


def test_a_seed_repeats_and_sides_may_differ():
    low = np.random.default_rng(0).integers(0, 256, (1, 23, 34), dtype=np.uint8)
    spec = replace(SURVEILLANCE, width=4, steps=3, scale=2)
    np.testing.assert_array_equal(enlarge_zero_shot(low, spec), enlarge_zero_shot(low, spec))
    assert enlarge_zero_shot(low, spec).shape == (1, 46, 68)


def test_there_are_eight_turns_and_mirrorings():
    picture = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert len({tuple(_turned(picture, way).flatten().tolist()) for way in range(8)}) == 8


def test_learning_that_stands_still_is_noticed():
    noise = np.random.default_rng(0).normal(0, 0.01, 60)
    assert _stands_still(list(1 + noise))
    assert not _stands_still(list(1 - np.linspace(0, 0.5, 60) + noise))


def test_a_picture_that_is_too_small_is_one_sentence():
    with pytest.raises(DataError, match="12x12 px are too small to learn x2"):
        enlarge_zero_shot(np.zeros((1, 12, 12), np.uint8), QUICK)
