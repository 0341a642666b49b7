import numpy as np
import pytest

from trt_build.measures.likelihood import (
    bounds,
    calibration_error,
    cllr,
    cllr_min,
    cross_entropy,
    dev_pav,
    logistic,
    pav,
    probability_of,
)


def drawn(seed=0, same=150, different=2000):
    """Scores of two normal distributions, two apart, whose log10 ratio is (2 s - 2) / ln 10; in order."""
    rng = np.random.default_rng(seed)
    score = np.concatenate([rng.normal(2, 1, same), rng.normal(0, 1, different)])
    label = np.repeat([1.0, 0.0], [same, different])
    order = np.argsort(score)
    return score[order], label[order], 1 - label[order]


def test_ratios_that_say_nothing_cost_one_bit_and_perfect_ones_none():
    _, same, different = drawn()
    assert cllr(np.zeros(len(same)), same, different) == pytest.approx(1.0)
    assert cllr(np.where(same > 0, 9.0, -9.0), same, different) < 1e-8
    assert cross_entropy(np.zeros(len(same)), same, different, 0.5) == pytest.approx(1.0)


def test_the_best_rising_ratios_rise_and_cost_no_more_than_any_others():
    score, same, different = drawn()
    best = pav(score, same, different)
    assert (np.diff(best[np.isfinite(best)]) >= 0).all()
    true = (2 * score - 2) / np.log(10)
    assert cllr_min(score, same, different) <= cllr(true, same, different)
    assert dev_pav(true, same, different) < dev_pav(true + 1, same, different)


def test_logistic_regression_finds_the_line_of_two_normal_distributions():
    offset, slope = logistic(*drawn(same=20_000, different=20_000))
    assert (offset, slope) == pytest.approx((-2 / np.log(10), 2 / np.log(10)), abs=0.03)


def test_the_prior_of_a_logistic_regression_moves_no_line_that_is_right():
    data = drawn(same=20_000, different=20_000)
    for prior in (0.1, 0.01):
        assert logistic(*data, prior) == pytest.approx((-2 / np.log(10), 2 / np.log(10)), abs=0.06)


def test_a_weight_is_as_many_comparisons():
    score, same, different = drawn(same=30, different=60)
    times = np.random.default_rng(1).integers(1, 4, len(score)).astype(float)
    spread = [np.repeat(values, times.astype(int)) for values in (score, same, different)]
    weighted = score, same * times, different * times
    offset, slope = logistic(*weighted)
    assert logistic(*spread) == pytest.approx((offset, slope))
    line = offset + slope * score
    lines = np.repeat(line, times.astype(int))
    assert bounds(line, *weighted[1:]) == bounds(lines, *spread[1:])
    assert cllr_min(*weighted) == pytest.approx(cllr_min(*spread))
    assert calibration_error(line, *weighted[1:]) == pytest.approx(calibration_error(lines, *spread[1:]))


def test_classes_that_do_not_overlap_have_no_best_line():
    score = np.arange(10.0)
    with pytest.raises(ValueError, match="do not overlap"):
        logistic(score, (score > 4).astype(float), (score <= 4).astype(float))


def test_few_comparisons_bound_what_can_be_shown():
    score, same, different = drawn(same=20, different=500)
    low, high = bounds(score * 5, same, different)
    assert -np.log10(21) <= low <= 0 <= high <= np.log10(501) + 0.01


def test_stated_probabilities_that_are_right_have_a_small_error_and_shifted_ones_a_large_one():
    score, same, different = drawn(same=20_000, different=20_000)
    true = (2 * score - 2) / np.log(10)
    assert calibration_error(true, same, different) < 0.01
    assert calibration_error(true + 1, same, different) > 0.1
    assert probability_of(np.array([0.0, 1.0]), 0.5) == pytest.approx([0.5, 10 / 11])


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_finds_the_same(seed):
    """``lir`` of the Netherlands Forensic Institute: the extra of this name."""
    reference = pytest.importorskip("lir.algorithms.logistic_regression", reason="lir is not installed: pip install '.[lir]'")
    from lir.algorithms.bayeserror import elub
    from lir.data.models import LLRData
    from lir.metrics import cllr as lir_cllr
    from lir.metrics import cllr_min as lir_cllr_min
    from lir.metrics.devpav import devpav

    score, same, different = drawn(seed)
    labels = same.astype(int)
    fitted = reference.LogitCalibrator(C=np.inf, tol=1e-12, max_iter=10_000).fit(score.reshape(-1, 1), labels)
    theirs = fitted.transform(score.reshape(-1, 1)).ravel()
    offset, slope = logistic(score, same, different)
    low, high = bounds(offset + slope * score, same, different)
    bounded = np.clip(offset + slope * score, low, high)
    assert bounded == pytest.approx(np.clip(theirs, *elub(theirs.copy(), labels)), abs=1e-6)
    data = LLRData(features=theirs.reshape(-1, 1), labels=labels)
    assert cllr(theirs, same, different) == pytest.approx(lir_cllr(data), abs=1e-9)
    assert cllr_min(theirs, same, different) == pytest.approx(lir_cllr_min(data), abs=1e-9)
    assert dev_pav(theirs, same, different) == pytest.approx(devpav(theirs, labels), abs=1e-6)
