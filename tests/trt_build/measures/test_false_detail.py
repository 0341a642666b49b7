"""The measure has the values that its definition promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trt_build.measures.false_detail import band, energies

seeds, scales = st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 4])


def false_detail_rate(result, truth, scale):
    """Return the rate over one picture or a stack of them."""
    false, there = energies(band(result, scale), band(truth, scale))
    return false.sum() / there.sum()


def picture(seed, side=36):
    return np.random.default_rng(seed).uniform(0, 255, (side, side))


@given(seeds, scales)
def test_equal_pictures_and_pictures_without_detail_have_none(seed, scale):
    truth = picture(seed)
    smooth = truth - band(truth, scale)
    assert false_detail_rate(truth, truth, scale) == 0
    assert false_detail_rate(smooth, truth, scale) == pytest.approx(0, abs=1e-12)
    assert false_detail_rate(smooth + 0.5 * band(truth, scale), truth, scale) == pytest.approx(0, abs=1e-12)


@given(seeds, scales)
def test_what_goes_beyond_the_truth_counts_with_its_energy(seed, scale):
    truth = picture(seed)
    detail = band(truth, scale)
    assert false_detail_rate(truth + detail, truth, scale) == pytest.approx(1)
    assert false_detail_rate(truth - 2 * detail, truth, scale) == pytest.approx(1)


@given(seeds, seeds, scales)
def test_the_low_frequencies_do_not_count(seed, other, scale):
    truth, result = picture(seed), picture(other)
    smooth = result - band(result, scale)
    assert false_detail_rate(truth + smooth, truth, scale) == pytest.approx(0, abs=1e-9)


@given(seeds, seeds, scales)
def test_it_is_never_more_than_the_error_up_there(seed, other, scale):
    truth, result = picture(seed), picture(other)
    error = np.mean(band(result - truth, scale) ** 2)
    false, _ = energies(band(result, scale), band(truth, scale))
    assert 0 <= false <= error + 1e-9


def test_the_band_begins_where_the_input_can_show_nothing_more():
    side, scale = 64, 4
    places = np.arange(side)
    for wave, kept in ((15, 0.0), (16, 1.0), (40, 1.0)):
        image = np.tile(np.cos(np.pi * wave * (2 * places + 1) / (2 * side)), (side, 1))
        share = np.mean(band(image, scale) ** 2) / np.mean(image**2)
        assert share == pytest.approx(kept, abs=1e-12)


def test_a_stack_gives_one_rate():
    truth = np.stack([picture(0), picture(1)])
    detail = band(truth, 2)
    result = truth.copy()
    result[0] += detail[0]
    expected = (detail[0] ** 2).sum() / (detail**2).sum()
    assert false_detail_rate(result, truth, 2) == pytest.approx(expected)
