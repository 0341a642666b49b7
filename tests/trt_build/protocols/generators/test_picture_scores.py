import numpy as np
import pytest

from trt_build.measures.bootstrap import draw_people
from trt_build.measures.false_detail import band, energies
from trt_build.measures.metrics import HIGHEST_DB, bicubic, psnr, shave, ssim
from trt_build.protocols.generators.picture_scores import COLUMNS, score_pictures

RNG = np.random.default_rng(0)
TRUTH = [RNG.integers(0, 256, (40, 32), dtype=np.uint8) for _ in range(3)]
LOW = [picture[::2, ::2] for picture in TRUTH]
RESULT = [bicubic(picture, 2) for picture in LOW]


class Constant:
    backbone = "none"

    def __call__(self, one, other):
        assert one.shape == other.shape
        assert one.dtype == other.dtype == np.uint8
        return np.full(len(one), 0.25)


def test_means_over_draws_are_those_of_the_pictures():
    scores = score_pictures(RESULT, TRUTH, LOW, 2, {"lpips": Constant(), "features": Constant()})
    drawn = scores.drawn(draw_people(["a", "b", "c"], 4, 0))
    assert set(drawn) == {column.key for column in COLUMNS}
    assert all(values.shape == (5,) for values in drawn.values())
    pairs = list(zip(RESULT, TRUTH, strict=True))
    assert drawn["psnr_db"][0] == pytest.approx(np.mean([psnr(a, b, 2) for a, b in pairs]))
    assert drawn["ssim"][0] == pytest.approx(np.mean([ssim(a, b, 2) for a, b in pairs]))
    inner = [np.stack([shave(picture, 2) for picture in some]) for some in (RESULT, TRUTH)]
    false, there = energies(*(band(stack, 2) for stack in inner))
    assert drawn["false_detail"][0] == pytest.approx(false.sum() / there.sum())
    assert drawn["lpips"][0] == drawn["features"][0] == 0.25


def test_the_truth_itself_is_as_good_as_it_gets():
    drawn = score_pictures(TRUTH, TRUTH, LOW, 2).drawn(draw_people(["a", "b", "c"], 0, 0))
    assert drawn["psnr_db"][0] == HIGHEST_DB
    assert drawn["false_detail"][0] == 0
    assert "lpips" not in drawn


def test_flat_pictures_have_no_rate():
    flat = [np.full((40, 32), 7, np.uint8)]
    drawn = score_pictures(flat, flat, [flat[0][::2, ::2]], 2).drawn(draw_people(["a"], 2, 0))
    assert np.isnan(drawn["false_detail"]).all()
