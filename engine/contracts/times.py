"""Times and counts as records hold them, bounded where they are read, so that whatever a line says can be computed with."""

from __future__ import annotations

from typing import Annotated

import msgspec

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits, as databases and other languages have it."""
Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""Of a message in its series: what lies between two of them can be counted."""
UnixNs = Int64
"""Wall clock (Unix, nanoseconds): from the year 1677 to 2262."""
StreamSeconds = Annotated[float, msgspec.Meta(ge=-9.3e9, le=9.3e9)]
"""Seconds of a recording or a camera: as far as ``UnixNs`` reaches, and finite."""
