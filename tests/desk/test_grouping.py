from __future__ import annotations

import time

import numpy as np
import pytest

from engine.desk.grouping import group_tracks


def clustered(people: int, each: int, dims: int = 32, spread: float = 0.3, seed: int = 0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((people, dims))
    vectors = np.repeat(centres, each, axis=0) + spread * rng.standard_normal((people * each, dims))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.repeat(np.arange(people), each)


def one_by_one(vectors, crowding, least, apart=()):
    """Greedy average linkage over a table of all pairs."""
    alike = 2 * vectors @ vectors.T - crowding[:, None] - crowding
    for one, other in apart:
        alike[one, other] = alike[other, one] = -np.inf
    groups = [[at] for at in range(len(vectors))]
    while len(groups) > 1:
        means = np.array([[alike[np.ix_(a, b)].mean() if a is not b else -np.inf for b in groups] for a in groups])
        one, other = divmod(int(means.argmax()), len(groups))
        if means[one, other] < least:
            break
        groups[min(one, other)] += groups.pop(max(one, other))
    return {frozenset(group) for group in groups}


def sets_of(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@pytest.mark.parametrize("seed", range(4))
def test_it_gives_what_joining_one_pair_after_the_other_gives(seed):
    vectors, _ = clustered(5, 5, dims=8, spread=0.7, seed=seed)
    crowding = np.random.default_rng(seed).uniform(0, 0.3, len(vectors)).astype(np.float32)
    apart = [(0, 1), (7, 20), (3, 23)]
    labels = group_tracks(vectors, crowding, 0 * crowding, 0.8, apart=[([one], [other]) for one, other in apart])
    assert sets_of(labels) == one_by_one(vectors, crowding, 0.8, apart)


def test_people_are_numbered_by_their_first_track():
    vectors, who = clustered(5, 4)
    order = np.random.default_rng(1).permutation(len(who))
    labels = group_tracks(vectors[order], np.zeros(len(who), np.float32), np.zeros(len(who), np.float32), 1.0)
    assert sets_of(labels) == {frozenset(np.flatnonzero(who[order] == one).tolist()) for one in range(5)}
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(5)]
    assert firsts == sorted(firsts)


def test_what_was_said_counts_more_than_likeness():
    vectors, _ = clustered(2, 3)
    crowding = np.zeros(6, np.float32)
    assert sets_of(group_tracks(vectors, crowding, 0 * crowding, 1.0)) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    together = sets_of(group_tracks(vectors, crowding, 0 * crowding, 1.0, together=[[0, 5]]))
    assert any({0, 5} <= group for group in together)
    parted = sets_of(group_tracks(vectors, crowding, 0 * crowding, 1.0, apart=[([0], [1, 2])]))
    assert parted == {frozenset({0}), frozenset({1, 2}), frozenset({3, 4, 5})}
    assert {0, 1} <= next(
        group for group in sets_of(group_tracks(vectors, crowding, 0 * crowding, 9.0, [[0, 1]], [([0], [1])])) if 0 in group
    )


def test_equal_vectors_and_none_at_all_come_to_an_end():
    same = np.tile(np.eye(1, 8, dtype=np.float32), (50, 1))
    assert set(group_tracks(same, np.zeros(50, np.float32), np.zeros(50, np.float32), 1.0).tolist()) == {0}
    assert group_tracks(np.zeros((0, 8), np.float32), *[np.zeros(0, np.float32)] * 2, 1.0).tolist() == []
    assert group_tracks(same[:1], *[np.zeros(1, np.float32)] * 2, 1.0).tolist() == [0]


def test_many_tracks_are_grouped_in_little_time():
    vectors, who = clustered(150, 10, dims=128)
    began = time.process_time()
    labels = group_tracks(vectors, np.zeros(len(who), np.float32), np.zeros(len(who), np.float32), 1.0)
    assert time.process_time() - began < 10
    assert len(set(zip(labels.tolist(), who.tolist(), strict=True))) == len(set(labels.tolist())) == 150
