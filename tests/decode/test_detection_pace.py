from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.detection_pace import DetectionPace


@pytest.mark.parametrize(("fps", "limit", "marked"), [(10, 10, 100), (25, 10, 100), (15, 10, 100), (5, 10, 50), (30, 30, 300)])
def test_so_many_of_ten_seconds_are_marked(fps, limit, marked):
    pace = DetectionPace(limit)
    assert abs(sum(pace.mark(index / fps) for index in range(10 * fps)) - marked) <= 1


@given(st.lists(st.floats(-0.02, 0.02), min_size=20, max_size=200))
def test_a_camera_at_the_limit_has_all_marked_though_it_is_not_punctual(jitter):
    pace = DetectionPace(10.0)
    assert all(pace.mark(index / 10 + late) for index, late in enumerate(jitter))


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=300), st.floats(0.2, 60.0))
def test_no_second_has_more_than_two_above_the_limit(steps, limit):
    pace = DetectionPace(limit)
    marked = [now for now in accumulate(steps) if pace.mark(now)]
    assert marked[0] == steps[0]
    for start in marked:
        assert sum(start <= now < start + 1.0 for now in marked) <= limit + 2


def test_the_first_frame_after_a_restart_is_marked():
    pace = DetectionPace(1.0)
    assert pace.mark(100.0)
    assert not pace.mark(100.2)
    pace.restart()
    assert pace.mark(3.0)
    assert not pace.mark(3.2)
    assert pace.mark(4.0)
