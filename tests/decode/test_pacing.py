from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.pacing import Pacer

times = st.floats(0, 1e5, allow_nan=False)


def test_frames_are_due_at_their_distance_from_the_first():
    pacer = Pacer()
    assert pacer.wait_seconds(5.0, 100.0) == 0.0
    assert pacer.wait_seconds(5.5, 100.1) == pytest.approx(0.4)
    assert pacer.wait_seconds(6.0, 101.5) == 0.0
    assert pacer.wait_seconds(7.0, 101.5) == pytest.approx(0.5)


def test_a_discontinuity_starts_a_new_schedule():
    pacer = Pacer()
    pacer.wait_seconds(1000.0, 0.0)
    pacer.restart()
    assert pacer.wait_seconds(0.0, 1.0) == 0.0
    assert pacer.wait_seconds(0.5, 1.0) == pytest.approx(0.5)


@given(times, times, st.lists(times, max_size=20))
def test_who_waits_as_told_is_never_early_and_never_late(first, start, steps):
    pacer = Pacer()
    now = start
    for pts in [first, *sorted(first + step for step in steps)]:
        now += pacer.wait_seconds(pts, now)
        assert now - start == pytest.approx(pts - first, abs=1e-6)
