from dataclasses import replace

import numpy as np
import pytest

from tests.trt_build.data.people.made import group_faces, people
from trt_build.errors import DataError
from trt_build.protocols.open_set.crowd import make_crowd
from trt_build.protocols.open_set.scenes import CHANCES, ScenePairs, scene_limits, scene_pairs, wider_crowd

CROWD = make_crowd(people(200, 1, seed=1).vectors)
GROUPS = group_faces(120, seed=2)


def test_pairs_stand_in_one_picture_and_each_once():
    pairs = scene_pairs(GROUPS, CROWD)
    assert len(pairs.resemblance) == 120 * 28
    one, other = pairs.faces.T
    assert (GROUPS.pictures[one] == GROUPS.pictures[other]).all()
    assert (one != other).all()
    assert len({tuple(sorted(pair)) for pair in pairs.faces.tolist()}) == len(pairs.faces)


def test_no_pair_is_compared_over_a_crowd_with_its_own_picture():
    """What the other half shows changes its resemblance, what its own half shows does not."""
    pairs = scene_pairs(GROUPS, CROWD)
    first = GROUPS.halves == 0
    turned = GROUPS.vectors.copy()
    turned[first] = np.roll(turned[first], 1, axis=1)
    changed = scene_pairs(replace(GROUPS, vectors=turned), CROWD)
    of_first = GROUPS.halves[pairs.faces[:, 0]] == 0
    assert not np.allclose(changed.resemblance[~of_first], pairs.resemblance[~of_first])
    over = wider_crowd(CROWD, GROUPS, 1)
    np.testing.assert_array_equal(over, wider_crowd(CROWD, replace(GROUPS, vectors=turned), 1))


def test_masks_and_whoever_may_stand_there_twice_are_no_pairs():
    bare = np.arange(len(GROUPS.vectors)) % 8 < 3
    somebody = np.arange(len(GROUPS.vectors)) % 8 != 0
    faces = replace(GROUPS, is_bare=bare, is_somebody=somebody)
    assert len(scene_pairs(faces, CROWD).resemblance) == 120  # two of eight
    assert len(scene_pairs(faces, CROWD, masked=True).resemblance) == 120 * 10


def test_people_of_one_scene_reach_more_and_the_limits_say_so():
    limits = []
    for alike in (0.0, 1.0):
        pairs = scene_pairs(group_faces(400, seed=3, alike=alike), CROWD)
        chances, found = scene_limits(pairs)
        assert (np.diff(found) >= 0).all()
        others = scene_pairs(group_faces(400, seed=4, alike=alike), CROWD)
        for chance, limit in zip(CHANCES, found.tolist(), strict=False):
            assert (others.resemblance >= limit).mean() <= 1.5 * chance + 1e-4
        limits.append(found)
    assert (limits[1] > limits[0] + 0.1).all()
    assert len(chances) == len(limits[0]) == len(CHANCES) + 1


def test_a_hall_full_of_people_is_one_scene_among_others():
    """Ten times as many pairs of people who have nothing in common leave the limit where the other scenes have it."""
    pairs = scene_pairs(group_faces(400, seed=3, alike=1.0), CROWD)
    hall = np.random.default_rng(5).choice(scene_pairs(GROUPS, CROWD).resemblance, 10 * len(pairs.resemblance))
    joined = ScenePairs(
        np.append(pairs.resemblance, hall),
        np.append(pairs.sizes_px, np.full(len(hall), 40.0)),
        np.append(pairs.pictures, np.full(len(hall), 400)),
        np.vstack([pairs.faces, np.zeros((len(hall), 2), np.int64)]),
    )
    np.testing.assert_allclose(scene_limits(joined)[1], scene_limits(pairs)[1], atol=0.01)


def test_too_few_pictures_are_refused():
    with pytest.raises(DataError, match="stand in 1 of the pictures: give more, at least 100"):
        scene_limits(scene_pairs(replace(GROUPS, is_somebody=GROUPS.pictures == 7), CROWD))
