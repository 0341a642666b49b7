"""Faces and tracks as the stages hand them on."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from engine.contracts.findings import Basis, Candidate, Decision, Enhanced, Quality
from engine.contracts.frames import FrameTime, Planes, Span
from engine.contracts.gallery import GalleryVersion
from engine.contracts.messages import Part
from engine.contracts.track_picture import TrackPicture

STEPS = ("find", "wait", "enlarge", "verify", "publish")
"""Of a face that is traced, each from one mark to the next: from the packet until it was chosen; until an enhance worker begins
with it; until it is enlarged; until it is known whose it is; until it was sent."""
IDS_PER_PERCEIVE = 1_000_000_000
"""Track ids of a restarted perceive begin so much higher: what the dead one gave out last is not known."""


class Sighting(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """One face of one frame: where it is and how good, without its pixels."""

    stream: str
    track_id: int
    time: FrameTime
    box: tuple[float, float, float, float]
    """x, y, width, height of the face in pixels of the picture that it was cut from."""
    landmarks: list[tuple[float, float]] | None
    """Five points, likewise."""
    detection_score: float
    quality: Quality
    crop_box: tuple[int, int, int, int]
    """x, y, width, height of the face with its margin, likewise; x and y are even."""
    live: bool
    """From a camera: it may be dropped when it is late, a recording's face may not."""
    width_px: int = 0
    """Of the picture that it was cut from."""
    height_px: int = 0
    marks: list[int] | None = None
    """Of a face that is traced: when each of its ``STEPS`` but the last ended (Unix, nanoseconds), as far as it has come."""

    def mark(self) -> None:
        """Note that a step has ended, if it is traced."""
        if self.marks is not None:
            self.marks.append(time.time_ns())


class FaceCrop(Sighting, frozen=True, eq=False, kw_only=True):
    """One upright face with margin, cut from the planes at its native scale."""

    planes: Planes
    """The pixels of ``crop_box``; a copy, which outlives the frame."""
    scene: Planes | None = None
    """The whole picture that it was cut from, smaller, where this face is clearly the best of its track so far; a copy."""

    @property
    def sighting(self) -> Sighting:
        """The same without its pixels."""
        return Sighting(*(getattr(self, name) for name in Sighting.__struct_fields__))

    def landmarks_in_crop(self, scale: float = 1.0) -> np.ndarray | None:
        """Return the landmarks as (5, 2) float32 pixel centres of the crop enlarged ``scale`` times, None if there are none."""
        if self.landmarks is None:
            return None
        origin = np.array(self.crop_box[:2], np.float32)
        points = np.array(self.landmarks, np.float32) - origin
        return (points + 0.5) * np.float32(scale) - 0.5


class TrackClosed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A track is over and all its crops have been sent."""

    stream: str
    track_id: int
    span: Span
    frames_seen: int
    """Frames in which a detection supported the track."""


class FaceResult(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What is said of one face: the body of a ``face`` message."""

    face: Sighting
    enhanced: Enhanced | None
    """None: it was not enhanced."""
    decision: Decision
    candidates: list[Candidate]
    gallery_version: int
    parts: list[Part]
    """What its payloads are, in their order."""
    gallery: GalleryVersion | None = None
    """See ``Face.gallery``."""

    @property
    def stream(self) -> str:
        return self.face.stream


class TrackResult(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What is said of one track: the body of a ``track`` message."""

    track: TrackClosed
    """As far as it has come."""
    ended: bool
    """False: it goes on, and its decision has changed or its picture has improved."""
    faces_enhanced: int
    decision: Decision
    candidates: list[Candidate]
    gallery_version: int
    parts: list[Part]
    basis: Basis | None = None
    """See ``Track.basis``."""
    gallery: GalleryVersion | None = None
    """See ``Track.gallery``."""
    reason: str = ""
    """See ``Track.reason``."""
    picture: TrackPicture | None = None
    """See ``Track.picture``."""

    @property
    def stream(self) -> str:
        return self.track.stream
