"""Pairs from photographs: aligned, seeded, and shrunk as the literature does it."""

import zipfile

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="recipes of training need torch")

from tests.assets import shared
from trt_build.data.photographs import PatchBatches, load_photographs, pair_of, split, validation_set
from trt_build.errors import DataError
from trt_build.recipes.generator import DataSpec, Recipe
from trt_build.recipes.timed import BudgetSpec


def photograph(rows=120, columns=150, seed=0):
    noise = np.random.default_rng(seed).random((rows, columns))
    return np.rint(16 + 219 * cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 1, cv2.NORM_MINMAX)).astype(np.uint8)


def recipe(**data):
    return Recipe(name="p", data=DataSpec("x.zip", "photographs", **data), budget=BudgetSpec(steps=1), batch=3)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_patches_are_aligned_turned_alike_and_depend_on_the_step_alone(scale):
    batches = PatchBatches([photograph(), photograph(97, 101, 1)], recipe(hr_px=24, scale=scale))
    low, high = batches[5]
    assert low.shape == (3, 1, 24 // scale, 24 // scale)
    assert high.shape == (3, 1, 24, 24)
    again = PatchBatches([photograph(), photograph(97, 101, 1)], recipe(hr_px=24, scale=scale))[5]
    np.testing.assert_array_equal(low, again[0])
    for small, large in zip(low[:, 0], high[:, 0], strict=True):
        shrunk = cv2.resize(large, small.shape, interpolation=cv2.INTER_AREA)
        error = [
            np.abs(np.roll(small, shift, (0, 1)) - shrunk)[1:-1, 1:-1].mean() for shift in ((0, 0), (1, 0), (0, 1), (-1, -1))
        ]
        assert np.argmin(error) == 0


def test_zoomed_photographs_that_are_too_small_are_left_out_and_none_is_an_error():
    assert len(PatchBatches([photograph(100, 100)], recipe(hr_px=64, scale=2))._pairs) == 2  # at 0.6 it has 60 px
    with pytest.raises(DataError, match="256 px"):
        PatchBatches([photograph()], recipe(hr_px=256, scale=2))
    with pytest.raises(DataError, match="for validation"):
        validation_set([photograph()], 2)


def test_some_are_kept_apart():
    photographs = [np.full((4, 4), index, np.uint8) for index in range(25)]
    training, apart = split(photographs, recipe().data)
    assert [int(one[0, 0]) for one in apart] == [9, 19]
    assert len(training) == 23


def test_low_resolution_is_that_of_the_published_protocol():
    """Bicubic enlargement of Set5 at x2 is 33.66 dB in every paper; Pillow's cubic is MATLAB's but for the border."""
    from PIL import Image

    from trt_build.measures.metrics import psnr

    values = []
    for luma in load_photographs(str(shared("data/general_sr/test.zip")))[-5:]:  # Set5 comes after Set14
        low, high = pair_of(luma, 2)
        enlarged = Image.fromarray(low.astype(np.float32)).resize(high.shape[::-1], Image.Resampling.BICUBIC)
        values.append(psnr(np.clip(np.rint(np.asarray(enlarged)), 0, 255).astype(np.uint8), high, 2))
    assert len(values) == 5
    assert np.mean(values) == pytest.approx(33.66, abs=0.1)


def test_bad_sources_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"do not exist: give a zip or folder"):  # a recipe names them, and no option
        load_photographs(str(tmp_path / "none.zip"))
    (tmp_path / "corrupt.zip").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match="cannot be read"):
        load_photographs(str(tmp_path / "corrupt.zip"))
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(DataError, match="holds no picture"):
        load_photographs(str(tmp_path / "empty.zip"))
    with zipfile.ZipFile(tmp_path / "broken.zip", "w") as archive:
        archive.writestr("a.png", b"not a picture")
    with pytest.raises(DataError, match=r"'a\.png' in .* is not a picture"):
        load_photographs(str(tmp_path / "broken.zip"))


def test_too_few_and_too_small_photographs():
    with pytest.raises(DataError, match="holds 9 photographs: one in 10"):
        split([photograph()] * 9, recipe().data)
    assert len(PatchBatches([photograph(2, 90), photograph()], recipe(hr_px=24, scale=4))[0][0]) == 3
    with pytest.raises(DataError, match="192 px high and wide"):
        validation_set([photograph(2, 90)], 4)
