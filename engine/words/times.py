"""Times as people read them: in every table, page and document a time in a recording is ``clock``, one on the wall
``wall_clock``, with the zone of this machine, or ``utc_words`` where many machines are meant. How long something takes is a
number of seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FIRST, _LAST = -(2**63), 2**63 - 1
"""Of 64 bits."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(at_ns: int) -> datetime:
    """Return a wall clock time (Unix, nanoseconds) in UTC to the microsecond; one out of 64 bits is moved to their end."""
    return _EPOCH + timedelta(microseconds=min(max(at_ns, _FIRST), _LAST) // 1000)


def utc_words(at_ns: int) -> str:
    """Return it to the second, as ``2026-03-01 13:05:00 UTC``."""
    return f"{without_zone(utc(at_ns))} UTC"


def to_the_minute(iso: str) -> str:
    """Return a time of a record (ISO 8601) to the minute, without its zone, as ``2026-03-01 13:05``."""
    return iso[:16].replace("T", " ")


def to_the_second(iso: str) -> str:
    """Return a time of a record (ISO 8601) to the second, without its zone, as ``2026-03-01 13:05:00``."""
    return iso[:19].replace("T", " ")


def clock(seconds: float) -> str:
    """Return a time in a recording as ``hh:mm:ss.s``; one before its beginning has a minus sign."""
    tenths = abs(round(seconds * 10))
    sign = "-" if tenths and seconds < 0 else ""
    return f"{sign}{tenths // 36000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def wall_clock(nanoseconds: int) -> str:
    """Return a wall clock time (Unix, nanoseconds) to the second, in this machine's time zone, with its offset."""
    return zoned(_local(nanoseconds))


def zoned(moment: datetime) -> str:
    """Return a moment to the second, as ``2026-03-01 14:05:00 +0100``, in its own time zone."""
    return f"{without_zone(moment)} {moment:%z}"


def without_zone(moment: datetime) -> str:
    """Return a moment to the second, as ``2026-03-01 14:05:00``, for one whose time zone is what is in doubt."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def wall_span(first_ns: int, last_ns: int) -> str:
    """Return from when to when, the day and the zone once where they are the same."""
    first, last = _local(first_ns), _local(last_ns)
    if (first.date(), first.utcoffset()) == (last.date(), last.utcoffset()):
        return f"{without_zone(first)} to {last:%H:%M:%S %z}"
    return f"{zoned(first)} to {zoned(last)}"


def zone(nanoseconds: int) -> str:
    """Return this machine's time zone at a time, as ``CET, UTC+01:00``, ``UTC``, or ``UTC-03:00`` where it has no name."""
    local = _local(nanoseconds)
    name, offset = f"{local:%Z}", f"UTC{local:%z}"
    words = f"{offset[:-2]}:{offset[-2:]}"
    if name == "UTC":
        return name
    return f"{name}, {words}" if name.isalpha() else words


def zone_minutes(nanoseconds: int) -> int:
    """Return by how much this machine's time zone is ahead of UTC at a time."""
    offset = _local(nanoseconds).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def _local(nanoseconds: int) -> datetime:
    return utc(nanoseconds).astimezone()
