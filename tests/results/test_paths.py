from __future__ import annotations

import numpy as np
import pytest

from engine.results.paths import TrackPath


def _path(seconds: list[float], first: float = 0.0, last: float = 20.0) -> TrackPath:
    boxes = np.array([(10 * s, 5.0, 4.0, 4.0 + s) for s in seconds])
    return TrackPath(np.array(seconds), boxes, first, last)


def test_a_box_moves_evenly_between_faces() -> None:
    path = _path([1.0, 2.0, 4.0])
    assert path.at(1.5) == pytest.approx((15, 5, 4, 5.5))
    assert path.at(3.0) == pytest.approx((30, 5, 4, 7))
    assert path.at(2.0) == pytest.approx((20, 5, 4, 6))


def test_it_moves_on_a_little_before_and_after_them_with_its_size() -> None:
    path = _path([2.0, 3.0])
    assert path.at(1.0) == pytest.approx((10, 5, 4, 6))
    assert path.at(4.0) == pytest.approx((40, 5, 4, 7))
    assert path.at(0.4) is None
    assert path.at(4.6) is None


def test_nobody_says_where_it_is_outside_its_track_or_in_a_long_gap() -> None:
    path = _path([1.0, 9.0], 0.5, 9.5)
    assert path.at(0.4) is None
    assert path.at(9.6) is None
    assert path.at(5.0) is None
    assert path.at(1.3) is not None
    assert path.at(8.7) is not None


def test_one_face_alone_stays_for_a_moment() -> None:
    path = _path([1.0])
    assert path.at(1.3) == path.at(1.0) == pytest.approx((10, 5, 4, 5))
    assert path.at(1.5) is None


def test_a_track_reaches_over_all_its_faces() -> None:
    path = _path([1.0, 2.0], first=1.5, last=1.6)
    assert (path.first, path.last) == (1.0, 2.0)
