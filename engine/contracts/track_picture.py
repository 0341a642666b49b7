"""One picture of a face, made out of many frames of its track: what is said of it."""

from __future__ import annotations

import msgspec

from engine.contracts.findings import Decision


class FusedFrame(msgspec.Struct, frozen=True):
    """One of the frames that a picture was made from."""

    frame_index: int
    pts_seconds: float
    weight: float
    """Its share, 0 to 1; all of them together are 1: of the frames' quality, but the first one has more where the face turned
    or spoke, as it takes over there. How much of the picture comes from each differs from place to place: where one does not
    show what the others show it counts less."""


class TrackPicture(msgspec.Struct, frozen=True):
    """What the part ``track`` of a ``track`` message shows. It is AI-enhanced, and not for identification."""

    model: str
    """What fused the frames, and enlarged them."""
    scale: int
    """Sides of the picture over those of the original crop of the first of ``frames``."""
    frames: list[FusedFrame]
    """At least two; the first one gave the picture its place and size, and its colours."""
    rejected: list[int]
    """``frame_index`` of the frames that were looked at and left out, as they do not fit the others."""
    width_px: int
    height_px: int
    agreement: float
    """Mean of the part ``agreement``, 0 to 1: 1 where the frames show the same, 0 where they contradict each other."""


def keeps_picture(before: Decision, now: Decision) -> bool:
    """Whether the picture of a line of a track also stands for the next line, which has none: not where that loses the name, as
    under ``publish.redact`` the picture could leave only with it."""
    return before != "known" or now == "known"
