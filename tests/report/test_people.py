from __future__ import annotations

from dataclasses import replace

from engine.report.people import people_table
from engine.report.track_index import Person

ADA = Person("Ada <Lovelace>", 3, 1, 1.0, 65.5, None, 2.0, False, 1)


def test_who_was_seen_in_one_recording_has_the_time() -> None:
    page = people_table([ADA], by_ratio=False)
    assert '<td data-title="seen"><span>00:00:01.0 to 00:01:05.5</span></td>' in page
    assert '<a href="#t1"><bdi>Ada &lt;Lovelace&gt;</bdi></a>' in page
    assert "streams" not in page


def test_a_column_that_would_be_empty_is_left_out() -> None:
    """Seconds of different recordings say nothing together."""
    page = people_table([replace(ADA, streams=2), replace(ADA, streams=3, evidence=None)], by_ratio=True)
    assert ">seen</th>" not in page
    assert page.count("<th ") == 4
    assert page.count("<td ") == 8
    assert ">seen</th>" in people_table([replace(ADA, streams=2), ADA], by_ratio=True)


def test_a_ratio_at_its_bound_may_be_more() -> None:
    assert "<span>100</span>" in people_table([ADA], by_ratio=True)
    assert "<span>100 or more</span>" in people_table([replace(ADA, at_bound=True)], by_ratio=True)


def test_where_nobody_was_named_there_is_no_table() -> None:
    assert people_table([], by_ratio=True) == ""
