"""The order in which things give way, and that they come back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.perception.overload import LEVELS, Governor


def second(governor: Governor, now: float, *, detect: tuple[int, int] = (0, 0), enhance: tuple[int, int] = (0, 0)) -> None:
    """One window: (in time, late) for both stages."""
    for stage, (good, late) in (("detect", detect), ("enhance", enhance)):
        for _ in range(good):
            governor.note(stage, late=False)
        for _ in range(late):
            governor.note(stage, late=True)
    governor.update(now)


def test_fewer_faces_are_enhanced_before_detection_becomes_rarer():
    assert all(b[0] >= a[0] and b[1] >= a[1] for a, b in pairwise(LEVELS))
    assert all(step == 1 for thinning, step in LEVELS if thinning < max(level[0] for level in LEVELS))
    governor = Governor()
    for now in range(20):
        second(governor, now, detect=(5, 5), enhance=(5, 0))
    assert (governor.thinning, governor.detect_step) == LEVELS[-1]


def test_late_faces_alone_never_make_detection_rarer():
    governor = Governor()
    for now in range(20):
        second(governor, now, detect=(10, 0), enhance=(1, 9))
    assert governor.thinning == 8.0
    assert governor.detect_step == 1


def test_late_detection_without_faces_does_not_touch_enhancement_for_nothing():
    governor = Governor()
    second(governor, 1.0, detect=(5, 5))
    assert governor.level == 0, "one window may be a burst"
    second(governor, 2.0, detect=(5, 5))
    assert governor.detect_step == 2


def test_one_late_frame_among_many_is_a_burst():
    governor = Governor()
    for now in range(10):
        second(governor, now, detect=(99, 1), enhance=(60, 1))
    assert governor.level == 0


def test_it_recovers_and_tries_more_slowly_where_that_failed():
    governor = Governor()
    for now in (0.0, 1.0, 2.0):
        second(governor, now, enhance=(0, 5))
    assert governor.level == 2
    now, came_down = 3.0, []
    while governor.level:
        before = governor.level
        second(governor, now, detect=(9, 0), enhance=(9, 0))
        if governor.level < before:
            came_down.append(now)
            if len(came_down) == 1:
                for _ in range(2):
                    now += 1.0
                    second(governor, now, enhance=(0, 5))
                assert governor.level == before
                again_late = now
        now += 1.0
    assert came_down[0] == 7.0
    assert came_down[1] - again_late >= 10.0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), max_size=80))
def test_the_level_moves_by_the_table_and_stays_in_it(windows: list[tuple[int, int, int, int]]):
    governor = Governor()
    for now, (a, b, c, d) in enumerate(windows):
        second(governor, now, detect=(a, b), enhance=(c, d))
        assert 0 <= governor.level < len(LEVELS)
    for now in range(len(windows), len(windows) + 60 * len(LEVELS) + 60):
        second(governor, now)
    assert governor.level == 0, "without load everything comes back"
