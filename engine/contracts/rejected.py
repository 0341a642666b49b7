"""Tracks that the second look did not believe and that came near to a face's: each with its likeliest look.

They are no tracks: nothing compares them with anybody, and no message speaks of them. The output directory keeps some.
"""

from __future__ import annotations

import msgspec

from engine.contracts.faces import FaceCrop
from engine.contracts.messages import Part


class TrackRejected(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    """A rejected track is over: what goes on of it in place of ``TrackClosed``."""

    stream: str
    track_id: int
    crop: FaceCrop
    """Of its likeliest look, as the source has it."""
    score: float
    """Of that look, 0 to 1, see ``Faceness.likeness``."""
    looks: int
    """At which it was seen."""


class Rejected(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The same, to be kept; its picture is the payload of its one part."""

    stream: str
    track_id: int
    frame_index: int
    pts_seconds: float
    """As ``Face.pts_seconds``, like the next two."""
    captured_ns: int
    recorded_ns: int | None
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels of the picture that was looked at."""
    crop_box: tuple[int, int, int, int]
    """Likewise: what the kept picture shows."""
    width_px: int
    """Of the picture that was looked at."""
    height_px: int
    score: float
    looks: int
    parts: list[Part]

    @property
    def place(self) -> tuple[str, int, tuple[float, float, float, float]]:
        """What it has in common with itself when it is found again, under another number."""
        return self.stream, self.frame_index, self.box


def kept(track: TrackRejected, parts: list[Part]) -> Rejected:
    """Return what is to be kept of a track, whose picture is the payload of these parts."""
    face, when = track.crop, track.crop.time
    return Rejected(
        track.stream, track.track_id, when.frame_index, when.pts_seconds, when.captured_ns, when.recorded_ns, face.box,
        face.crop_box, face.width_px, face.height_px, track.score, track.looks, parts,
    )  # fmt: skip
