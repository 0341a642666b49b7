"""Verification figures on distances whose answers are known, and the bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trt_build.measures.verification import (
    Pairing,
    SortedTrial,
    Trial,
    accuracy,
    best_threshold,
    cosine_distances,
    generated_pairs,
    seeded_folds,
    tar_at_fmr,
)


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


def test_pairs_are_of_one_person_or_of_two():
    people = ["a", "a", "a", "b", "b", "c"]
    pairs = generated_pairs(people, 0)
    names = np.array(people)
    np.testing.assert_array_equal(names[pairs.left] == names[pairs.right], pairs.same)
    assert (pairs.same.sum(), (~pairs.same).sum()) == (4, 11)
    few = generated_pairs(people, 0, per_person=2, different=5)
    assert (few.same.sum(), (~few.same).sum()) == (3, 5)


def test_distances_are_of_the_faces_of_the_pairs():
    vectors = np.eye(3, dtype=np.float32)
    pairs = Pairing(np.array([0, 1]), np.array([0, 2]), np.array([True, False]))
    np.testing.assert_allclose(cosine_distances(vectors, vectors, pairs), [0, 1])


def test_a_curve_falls_and_ends_at_zero():
    rng = np.random.default_rng(0)
    pairs = trial(rng.random(200), rng.random(2000) + 0.2)
    misses = SortedTrial(pairs.distances, pairs.same).curve([0.001, 0.01, 0.1, 1])
    assert misses == sorted(misses, reverse=True)
    assert misses[-1] == 0
    assert misses[1] == pytest.approx(1 - tar_at_fmr(pairs, 0.01, np.ones(2200)))


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
    np.testing.assert_allclose(SortedTrial(distances, same).tars((fmr,), weights), [expected])
    np.testing.assert_allclose(tar_at_fmr(Trial(distances, same, np.zeros(40, np.int64)), fmr, weights), expected)
