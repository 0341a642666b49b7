"""What a look at a camera tells, before it is made a stream of a run; a service answers it as it is."""

from __future__ import annotations

from typing import Literal

import msgspec

ClockKind = Literal["ntp", "stamps", "arrival"]
"""By what a picture's moment is known: the camera's own clock (RTCP sender reports), the stream's time stamps alone, or nothing
but when its packets came."""
Verdict = Literal["good", "small", "too_small", "no_face", "not_looked"]


class ProbedFace(msgspec.Struct, frozen=True, kw_only=True):
    """One face of the picture that is shown."""

    x: float
    y: float
    width: float
    height: float
    """In pixels of the picture."""
    score: float
    """Of the detector, 0 to 1."""
    size_px: float = 0.0
    """Geometric mean of the box's sides."""


class Probed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="probed"):
    """What a camera gave in a few seconds. Nothing in it holds credentials."""

    shown: str
    """The address, without credentials."""
    codec: str = ""
    """As FFmpeg names it, as ``h264``; ``rawvideo`` of a device that gives pictures."""
    profile: str = ""
    """Of the codec, as ``High``; empty where it has none."""
    width_px: int = 0
    """Of a picture as it is shown: upright, with square pixels."""
    height_px: int = 0
    fps: float = 0.0
    """Pictures a second as measured by the stream's clock; 0 of a single picture."""
    announced_rate: float = 0.0
    """As the camera says; 0 where it does not."""
    time_base: tuple[int, int] = (0, 1)
    """Seconds per tick of its time stamps, as (numerator, denominator)."""
    clock: ClockKind = "arrival"
    clock_behind_seconds: float | None = None
    """How far the camera's clock, with all delays up to here, is behind ours (negative: ahead); None without ``ntp``."""
    kbps: float = 0.0
    """Kilobits a second that came."""
    seconds: float = 0.0
    """From the first picture to the last."""
    pictures: int = 0
    """That came."""
    looked_at: int = 0
    """Pictures in which faces were looked for."""
    with_faces: int = 0
    """Of these, in how many there was one."""
    most_faces: int = 0
    """In one picture."""
    face_sizes_px: list[float] = []
    """Of the largest face of each picture that had one, smallest first."""
    faces: list[ProbedFace] = []
    """Those of ``picture``, best first."""
    picture: bytes = b""
    """JPEG of one picture, that with the largest face where there was one, as redaction lets it be shown; empty: not at all."""
    verdict: Verdict = "not_looked"
    advice: str = ""
    """One sentence for a person."""
