"""Frames that lie equally far apart are judged alike, wherever in a recording they are."""

from __future__ import annotations

import pytest

from engine.contracts.intervals import exceeds, reaches, whole_intervals

STARTS = [*range(60), 123_456, 10**7]


@pytest.mark.parametrize(("frame_rate", "frames"), [(5.0, 1), (10.0, 2), (15.0, 3), (25.0, 5)])
def test_a_fifth_of_a_second_is_one_everywhere(frame_rate: float, frames: int):
    passed = [(start + frames) / frame_rate - start / frame_rate for start in STARTS]
    assert any(seconds < 0.2 for seconds in passed)
    assert any(seconds > 0.2 for seconds in passed)
    for seconds in passed:
        assert reaches(seconds, 0.2)
        assert not exceeds(seconds, 0.2)
        assert whole_intervals(seconds, 0.2) == 1


def test_a_frame_less_or_more_makes_a_difference():
    for start in STARTS:
        less, more = ((start + frames) / 25 - start / 25 for frames in (4, 6))
        assert not reaches(less, 0.2)
        assert exceeds(more, 0.2)
        assert whole_intervals(less, 0.2) == 0


def test_time_that_steps_back_is_less_than_none():
    assert whole_intervals(-0.5, 1.0) == -1
