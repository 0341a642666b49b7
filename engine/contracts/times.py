"""Times and counts as records hold them: bounded where they are read, so that whatever a line says can be computed with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

_FIRST, _LAST = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Int64 = Annotated[int, msgspec.Meta(ge=_FIRST, le=_LAST)]
"""A whole number of 64 bits, as databases and other languages have it."""
UnixNs = Int64
"""Wall clock (Unix, nanoseconds): from the year 1677 to 2262."""
StreamSeconds = Annotated[float, msgspec.Meta(ge=-9.3e9, le=9.3e9)]
"""Seconds of a recording or a camera: as far as ``UnixNs`` reaches, and finite."""


def utc(at_ns: int) -> datetime:
    """Return a wall clock time (Unix, nanoseconds) in UTC to the microsecond; one out of 64 bits is moved to their end."""
    return _EPOCH + timedelta(microseconds=min(max(at_ns, _FIRST), _LAST) // 1000)


def utc_words(at_ns: int) -> str:
    """Return it to the second, as ``2026-03-01 13:05:00 UTC``."""
    return f"{utc(at_ns):%Y-%m-%d %H:%M:%S} UTC"
