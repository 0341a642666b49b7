"""One picture of a face, made out of many frames of its track: what is said of it."""

from __future__ import annotations

import msgspec

from engine.contracts.findings import Decision


class FusedFrame(msgspec.Struct, frozen=True):
    """One of the frames that a picture was made from."""

    frame_index: int
    pts_seconds: float
    weight: float
    """Its share, 0 to 1, by the frames' quality; all shares add up to 1. The first frame has more if the face turned or spoke,
    as it takes over there. How much of the picture comes from each frame differs from place to place: a frame counts less
    where it does not show what the others show."""


class TrackPicture(msgspec.Struct, frozen=True):
    """What the part ``track`` of a ``track`` message shows. It is AI-enhanced, and not for identification."""

    model: str
    """What fused the frames, and enlarged them."""
    scale: int
    """Sides of the picture over those of the original crop of the first of ``frames``."""
    frames: list[FusedFrame]
    """At least two; the first one determined the picture's position, size and colours."""
    rejected: list[int]
    """``frame_index`` of frames that were considered and left out because they do not fit the others."""
    width_px: int
    height_px: int
    agreement: float
    """Mean of the part ``agreement``, 0 to 1: 1 if the frames show the same, 0 if they contradict each other."""


def keeps_picture(before: Decision, now: Decision) -> bool:
    """Whether the picture of a line of a track also stands for the next line, which has none: not where that loses the name, as
    under ``publish.redact`` the picture could leave only with it."""
    return before != "known" or now == "known"
