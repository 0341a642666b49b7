"""Times as a reader wants them: seconds of a recording, and the clock on the wall with its zone."""

from __future__ import annotations

from datetime import datetime

from engine.contracts.times import utc


def clock(seconds: float) -> str:
    """Return a time in a recording as ``hh:mm:ss.s``; one before its beginning has a minus sign."""
    tenths = abs(round(seconds * 10))
    sign = "-" if tenths and seconds < 0 else ""
    return f"{sign}{tenths // 36000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def wall_clock(nanoseconds: int) -> str:
    """Return a wall clock time (Unix, nanoseconds) to the second, in this machine's time zone, with its offset."""
    return _local(nanoseconds).strftime("%Y-%m-%d %H:%M:%S %z")


def wall_span(first_ns: int, last_ns: int) -> str:
    """Return from when to when, the day and the zone once where they are the same."""
    first, last = _local(first_ns), _local(last_ns)
    if (first.date(), first.utcoffset()) == (last.date(), last.utcoffset()):
        return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S %z}"
    return f"{first:%Y-%m-%d %H:%M:%S %z} to {last:%Y-%m-%d %H:%M:%S %z}"


def zone(nanoseconds: int) -> str:
    """Return this machine's time zone at a time, as ``CET, UTC+01:00``."""
    local = _local(nanoseconds)
    offset = f"UTC{local:%z}"
    return f"{local:%Z}, {offset[:-2]}:{offset[-2:]}"


def zone_minutes(nanoseconds: int) -> int:
    """Return by how much this machine's time zone is ahead of UTC at a time."""
    offset = _local(nanoseconds).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def _local(nanoseconds: int) -> datetime:
    return utc(nanoseconds).astimezone()
