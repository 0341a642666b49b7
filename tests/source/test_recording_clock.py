from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import LiveConfig, SourceConfig
from engine.errors import ConfigError
from engine.source.recording_clock import beginning_of, check_clock, pattern_of
from engine.source.sources import expand_sources

pytestmark = pytest.mark.usefixtures("in_india")


def nanoseconds(*when: int) -> int:
    return round(datetime(*when, tzinfo=UTC).timestamp()) * 10**9


def beginning(name: str, **keys: str) -> tuple[int | None, str]:
    source = SourceConfig(uri=name, **keys)
    check_clock(source)
    return beginning_of(source, Path(name), lambda sentence: None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T14:05:00+01:00", nanoseconds(2026, 3, 1, 13, 5)),
        ("2026-03-01 14:05:00Z", nanoseconds(2026, 3, 1, 14, 5)),
        ("2026-03-01T14:05:00", nanoseconds(2026, 3, 1, 8, 35)),
        ("2026-03-01", nanoseconds(2026, 2, 28, 18, 30)),
    ],
)
def test_a_start_time_is_of_this_machines_zone_unless_it_says_another(text, expected):
    assert beginning("a.mp4", start_time=text) == (expected, "start_time")


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("cam1_20260301_140500.mp4", "cam1_%Y%m%d_%H%M%S", (8, 35, 0)),
        ("x/20260301140500_door.mkv", "%Y%m%d%H%M%S", (8, 35, 0)),
        ("NVR (2026-03-01 14.05.07) ch2.dav", "%Y-%m-%d %H.%M.%S", (8, 35, 7)),
        ("01-03-26_2.05.00 PM.avi", "%d-%m-%y_%I.%M.%S %p", (8, 35, 0)),
        ("2026-03-01T14-05-00+0100.ts", "%Y-%m-%dT%H-%M-%S%z", (13, 5, 0)),
        ("garage_2026.060.140500.mp4", "%Y.%j.%H%M%S", (8, 35, 0)),
        ("99999999_20260301_140500.mp4", "%Y%m%d_%H%M%S", (8, 35, 0)),
    ],
)
def test_a_time_is_found_in_a_name(name, pattern, expected):
    assert beginning(name, clock_from=f"name:{pattern}") == (nanoseconds(2026, 3, 1, *expected), "file_name")


@pytest.mark.parametrize("date", ["99991231", "00010101", "24000101"])
def test_a_name_that_tells_a_year_beyond_belief_tells_no_time(date):
    said: list[str] = []
    source = SourceConfig(uri="a.mp4", clock_from="name:%Y%m%d")
    assert beginning_of(source, Path(f"{date}.mp4"), said.append) == (None, "")
    assert said


def test_a_name_that_does_not_fit_is_said_and_no_error():
    said: list[str] = []
    source = SourceConfig(uri="a.mp4", clock_from="name:%Y%m%d")
    assert beginning_of(source, Path("20261345.mp4"), said.append) == (None, "")
    assert said == ["20261345.mp4 has no time of the form %Y%m%d in its name: when it was recorded is not known"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"start_time": "yesterday"}, "'yesterday' is not a time"),
        ({"start_time": "0001-01-01"}, "'0001-01-01' is not a time"),
        ({"start_time": "9999-12-31T23:59:59-12:00"}, "is not a time"),
        ({"start_time": "2400-01-01"}, "is not a time"),
        ({"start_time": "2026-03-01", "clock_from": "none"}, "leave one out"),
        ({"clock_from": "exif"}, "'exif' is not known"),
        ({"clock_from": "name:%H%M%S"}, "names no whole date"),
        ({"clock_from": "name:%Y%m%d_%Q"}, "holds %Q"),
        ({"clock_from": "name:%Y%m%d%"}, "holds %,"),
        ({"clock_from": "name:"}, "names no whole date"),
    ],
)
def test_what_is_no_time_is_said(keys, words):
    with pytest.raises(ConfigError) as caught:
        check_clock(SourceConfig(uri="a.mp4", **keys))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("date", "utc", "words"),
    [
        ("20261025_015958", (2026, 10, 24, 23, 59, 58), ""),
        ("20261025_023000", (2026, 10, 25, 0, 30), "comes twice, as clocks go back; it is taken for 2026-10-25 02:30:00 +0200"),
        ("20261025_030000", (2026, 10, 25, 2, 0), ""),
        ("20260329_023000", (2026, 3, 29, 0, 30), "not come, as clocks go forward; it is taken for 2026-03-29 01:30:00 +0100"),
    ],
)
def test_a_time_that_comes_twice_or_not_at_all_is_told(monkeypatch, date, utc, words):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    said: list[str] = []
    source = SourceConfig(uri="x", clock_from="name:%Y%m%d_%H%M%S")
    assert beginning_of(source, Path(f"{date}.mp4"), said.append) == (nanoseconds(*utc), "file_name")
    assert [words in sentence for sentence in said] == ([True] if words else [])
    with_offset = SourceConfig(uri="x", start_time="2026-10-25T02:30:00+01:00")
    assert beginning_of(with_offset, Path("x"), said.append)[0] == nanoseconds(2026, 10, 25, 1, 30)
    assert len(said) == bool(words), "an offset leaves nothing open"


def test_nothing_said_leaves_it_to_the_file(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    for clock_from, trusted in (("", True), ("creation_time", True), ("none", False), ("name:%Y%m%d", False)):
        (found,) = expand_sources([SourceConfig(uri=str(tmp_path / "a.mp4"), clock_from=clock_from)], LiveConfig())
        assert (found.reading.started_ns, found.reading.clock, found.reading.trusts_metadata) == (None, "", trusted)


def test_one_start_time_cannot_be_that_of_several_recordings(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ConfigError, match="cannot be that of all 2 recordings"):
        expand_sources([SourceConfig(uri=str(tmp_path), start_time="2026-03-01")], LiveConfig())


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)), st.text("ab_- .()[]+*?", max_size=8))
def test_what_strftime_writes_is_read_back(when, around):
    pattern = f"{around.replace('%', '')}%Y-%m-%d_%H%M%S"
    name = f"x{when.strftime(pattern)}y"
    assert pattern_of(f"name:{pattern}").search(name)
    assert beginning_of(SourceConfig(uri="x", clock_from=f"name:{pattern}"), Path(name), print)[0] == round(
        when.replace(microsecond=0).astimezone().timestamp() * 1e9
    )
