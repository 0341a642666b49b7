"""Which faces of a track one picture is made of."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime, Planes
from engine.enhancement.best_shots import MOST_SHOTS, BestShots, Shot
from tests.super_resolve.test_enhancer import crop_of

PLANES = Planes(np.zeros((8, 8), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), "bt709")


def shot(seconds: float, score: float, *, damaged: bool = False) -> Shot:
    time = FrameTime(round(seconds * 25), None, (1, 25), seconds, 0)
    crop = replace(crop_of(PLANES), time=time, quality=Quality(20.0, 0.5, 0.5, score, damaged))
    return Shot(crop, np.zeros((16, 16), np.uint8), 2)


def kept(*shots: Shot) -> list[tuple[float, float]]:
    best = BestShots()
    for one in shots:
        best.offer(one)
    return [(one.seconds, one.score) for one in best.shots]


def test_of_one_moment_the_better_one_stays():
    assert kept(shot(1.0, 0.3), shot(1.04, 0.5), shot(1.08, 0.4)) == [(1.04, 0.5)]
    assert kept(shot(1.0, 0.3), shot(1.3, 0.3), shot(1.15, 0.9)) == [(1.0, 0.3), (1.15, 0.9), (1.3, 0.3)]


def test_a_damaged_face_is_not_used():
    assert kept(shot(1.0, 0.3, damaged=True), shot(2.0, 0.1)) == [(2.0, 0.1)]


def test_of_faces_whose_colours_mean_different_things_those_like_the_newest_stay():
    first, second, wide, other = shot(1.0, 0.9), shot(2.0, 0.9), shot(3.0, 0.1), shot(4.0, 0.1)
    wide = dataclasses.replace(wide, crop=replace(wide.crop, planes=replace(PLANES, full_range=True)))
    other = dataclasses.replace(other, crop=replace(other.crop, planes=replace(PLANES, matrix="bt601")))
    assert kept(first, second, wide) == [(3.0, 0.1)]
    assert kept(first, wide, second) == [(2.0, 0.9)]
    assert kept(first, second, other) == [(4.0, 0.1)]


def test_where_there_are_too_many_the_worst_goes_and_moments_that_are_alone_stay():
    crowd = [shot(0.2 * place, 0.5) for place in range(MOST_SHOTS)]
    assert (9.0, 0.3) in kept(*crowd, shot(9.0, 0.3)), "a worse one of another moment is worth more than one of a crowd"
    assert (9.0, 0.05) not in kept(*crowd, shot(9.0, 0.05))


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.001, 1)), max_size=40))
def test_they_are_few_good_of_different_moments_and_in_the_order_of_time(offered: list[tuple[float, float]]):
    best = BestShots()
    for one in offered:
        best.offer(shot(*one))
    seconds = [one.seconds for one in best.shots]
    assert len(seconds) <= MOST_SHOTS
    assert seconds == sorted(seconds)
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(seconds))
    assert best.size_bytes == len(seconds) * (64 + 32 + 256)
    assert best.worth == sum(one.score for one in best.shots)
    assert bool(seconds) == bool(offered)
