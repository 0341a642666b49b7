from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import engine
from engine.desk.stored import when
from engine.words.times import clock, to_the_minute, to_the_second, utc, utc_words, wall_clock, zone


def test_a_time_is_written_in_utc():
    assert utc_words(1_795_960_565_348_883_260) == "2026-11-29 13:56:05 UTC"
    assert utc(1_795_960_565_348_883_260).isoformat(timespec="milliseconds") == "2026-11-29T13:56:05.348+00:00"
    assert utc_words(-1) == "1969-12-31 23:59:59 UTC"


def test_the_time_of_a_record_is_shown_without_its_zone():
    assert to_the_minute("2026-11-29T13:56:05+00:00") == "2026-11-29 13:56"
    assert to_the_second("2026-11-29T13:56:05.348Z") == "2026-11-29 13:56:05"


@pytest.mark.parametrize("at_ns", [2**63 - 1, -(2**63), 10**21, -(10**400)])
def test_no_time_is_out_of_the_range_of_who_writes_it(at_ns):
    assert utc_words(at_ns)[:4] in ("1677", "2262")
    assert when(at_ns, 0.0)[:4] in ("1677", "2262")
    assert wall_clock(at_ns)[:4] in ("1677", "2262")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00.0"),
        (59.96, "00:01:00.0"),
        (3661.25, "01:01:01.2"),
        (360000, "100:00:00.0"),
        (-1.08, "-00:00:01.1"),
        (-0.01, "00:00:00.0"),
    ],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_a_time_is_put_in_words_in_one_place() -> None:
    """A table, a page and a document that show one moment in three ways make people compare them by hand."""
    root = Path(engine.__file__).parent
    own = re.compile(r"//\s*36000|%H:%M:%S|pts_seconds:[.0-9]*\.[0-9]f\}")
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if own.search(path.read_text(encoding="utf-8"))}
    assert found == {"words/times.py", "web/tokens.py", "keys/folder.py"}, "the last two for programs: RFC 3339"


@pytest.mark.parametrize(
    ("name", "words"),
    [("UTC0", "UTC"), ("CET-1", "CET, UTC+01:00"), ("<-03>3", "UTC-03:00"), ("IST-5:30", "IST, UTC+05:30")],
)
def test_a_zone_is_called_by_its_name_where_it_has_one(monkeypatch, name, words):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        assert zone(1_768_000_000 * 10**9) == words
    time.tzset()
