"""Verification figures on distances whose answers are known, and the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trt_build.evaluate.bootstrap import face_weights, interval, pair_weights, weighted_mean
from trt_build.evaluate.verification import SortedTrial, Trial, accuracy, best_threshold, seeded_folds, tar_at_fmr


def trial(genuine, impostor):
    same = np.array([True] * len(genuine) + [False] * len(impostor))
    return Trial(np.array([*genuine, *impostor], float), same, seeded_folds(same, 0))


def test_separable_pairs_are_perfect():
    pairs = trial(np.linspace(0.1, 0.4, 50), np.linspace(0.7, 1.0, 50))
    weights = np.ones(100)
    assert accuracy(pairs, weights) == 1
    assert tar_at_fmr(pairs, 0.01, weights) == 1


def test_tar_counts_by_hand():
    impostor = np.arange(100) + 0.5
    pairs = trial([0.0, 1.0, 2.0, 3.0], impostor)
    weights = np.ones(104)
    assert tar_at_fmr(pairs, 0.01, weights) == 0.5
    assert tar_at_fmr(pairs, 0.0, weights) == 0.25


def test_noise_is_about_chance():
    rng = np.random.default_rng(0)
    pairs = trial(rng.random(2000), rng.random(2000))
    assert accuracy(pairs, np.ones(4000)) == pytest.approx(0.5, abs=0.03)
    assert tar_at_fmr(pairs, 0.01, np.ones(4000)) == pytest.approx(0.01, abs=0.01)


def test_a_weight_of_two_equals_the_pair_twice():
    once = trial([0.2, 0.6], [0.5, 0.9])
    twice = trial([0.2, 0.2, 0.6], [0.5, 0.9])
    weights = np.array([2.0, 1, 1, 1])
    assert tar_at_fmr(once, 0.4, weights) == tar_at_fmr(twice, 0.4, np.ones(5))
    assert best_threshold(once.distances, once.same, weights) == best_threshold(twice.distances, twice.same, np.ones(5))


def test_folds_are_even_and_seeded():
    same = np.array([True] * 30 + [False] * 50)
    folds = seeded_folds(same, 4)
    np.testing.assert_array_equal(folds, seeded_folds(same, 4))
    assert set(np.bincount(folds[same])) == {3}
    assert set(np.bincount(folds[~same])) == {5}


def test_bootstrap_draws_people_not_faces():
    weights = face_weights(["a", "a", "b", "c"], 50, seed=1)
    assert all(w[0] == w[1] for w in weights)
    assert all(w[0] + w[2] + w[3] == 3 for w in weights)


def test_pair_weights_multiply_for_two_people():
    for weights in pair_weights(["a", "a"], ["a", "b"], 50, seed=1):
        assert weights[1] in (0, weights[0] * (2 - weights[0]))


def test_interval_holds_the_mean_of_a_large_sample():
    values = np.random.default_rng(2).normal(3, 1, 400)
    weights = face_weights([str(i) for i in range(400)], 300, seed=2)
    found = interval(weighted_mean(values), weights, 400)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(4 * 1 / 20, rel=0.3)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.01, 0.2, 1.0]), st.booleans())
def test_a_sorted_trial_gives_the_same_tar(seed, fmr, ties):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 4, 40).astype(float) if ties else rng.random(40)
    same, weights = rng.random(40) < 0.4, rng.integers(0, 3, 40).astype(float)
    # Word by word: the threshold is the nearest impostor's distance up to which more than the share would come in.
    limit = fmr * weights[~same].sum()
    ordered = sorted(zip(distances[~same], weights[~same], strict=True), key=lambda one: one[0])
    running, threshold = 0.0, np.inf
    for distance, weight in ordered:
        running += weight
        if running > limit + 1e-9:
            threshold = distance
            break
    genuine = weights[same]
    known = weights[~same].sum() and genuine.sum()
    expected = genuine[distances[same] < threshold].sum() / genuine.sum() if known else np.nan
    np.testing.assert_allclose(SortedTrial(distances, same).tar_at_fmr(fmr, weights), expected)
    np.testing.assert_allclose(tar_at_fmr(Trial(distances, same, np.zeros(40, np.int64)), fmr, weights), expected)
