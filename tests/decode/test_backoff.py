from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.backoff import Backoff

seconds = st.floats(0.01, 100.0)


@given(seconds, seconds, seconds, st.integers(0, 2**32), st.integers(1, 30))
def test_each_wait_is_between_half_of_its_step_and_the_whole(first, cap, auth, seed, attempts):
    backoff = Backoff(first, cap, auth, 60.0, Random(seed))
    for attempt in range(attempts):
        step = min(cap, min(first, cap) * 2**attempt)
        assert step / 2 <= backoff.wait_seconds() <= step * (1 + 1e-9)


@given(seconds, st.integers(0, 2**32), st.integers(0, 10))
def test_a_refused_password_waits_its_own_time_and_changes_no_step(auth, seed, before):
    backoff = Backoff(0.5, 8.0, auth, 60.0, Random(seed))
    for _ in range(before):
        backoff.wait_seconds()
    for _ in range(3):
        assert auth <= backoff.wait_seconds(refused=True) <= auth * 1.1 * (1 + 1e-9)
    step = min(8.0, 0.5 * 2**before)
    assert step / 2 <= backoff.wait_seconds() <= step


@pytest.mark.parametrize(
    ("lives", "step"),
    [([60.0], 0.5), ([0.1], 0.5), ([0.1, 10.0], 1.0), ([0.1] * 3, 2.0), ([59.9] * 9, 2.0), ([1.0] * 9 + [60.0], 0.5)],
)
def test_pictures_bring_the_steps_back_and_only_a_stable_connection_all_the_way(lives, step):
    backoff = Backoff(0.5, 8.0, 30.0, 60.0)
    for live_seconds in lives:
        for _ in range(9):
            backoff.wait_seconds()
        backoff.lasted(live_seconds)
    for expected in (step, max(step, 1.0), max(step, 2.0), 4.0, 8.0, 8.0):
        assert expected / 2 <= backoff.wait_seconds() <= expected


def test_cameras_that_went_down_together_do_not_come_back_together():
    waits = {round(Backoff(0.5, 8.0, 30.0, 60.0, Random(seed)).wait_seconds(), 3) for seed in range(100)}
    assert len(waits) > 60
