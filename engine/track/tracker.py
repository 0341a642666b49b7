"""Turns the detections of one stream into tracks: boxes are followed, and faces are compared where that may go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.config import TrackConfig
from engine.contracts.frames import Detections, Float32, FrameTime, Planes, Span, TrackedFace, TrackEnd
from engine.track.bytetrack import ByteTrack
from engine.track.persons import Persons, Seen

_SMALLEST_STEP_SECONDS = 0.001
_NEAR = 0.4
"""If faces are compared, boxes are enlarged on each side by this share of their size before their overlap is computed: small
faces of fast walkers hardly overlap from one detection to the next. At five detections a second 0.8 of the faces of fast
walkers got into tracks; without it, 0.25.
"""


class Boxes(Protocol):
    """Follows boxes by their position."""

    @property
    def ids(self) -> list[int]:
        """Ids of the boxes that are followed."""
        ...

    def update(self, corners: Float32, scores: Float32, seconds: float) -> list[tuple[int, int]]:
        """Return (index, id) of each detection that continues or starts a box; ids are never reused."""
        ...

    def reset(self) -> None:
        """Forget all boxes."""
        ...


@dataclass(slots=True)
class _Track:
    track_id: int
    first: FrameTime
    last: FrameTime
    frames_seen: int


class Tracker:
    """Follows the faces of one stream. Every stream has its own: nothing is shared between instances.

    Each detection that continues no track starts one if its score is high enough; which tracks are reported is decided
    elsewhere. Tracks carry ids from ``new_id``.
    """

    def __init__(
        self,
        config: TrackConfig,
        frame_rate: float,
        new_id: Callable[[], int],
        start_score: float = 0.0,
        persons: Persons | None = None,
    ) -> None:
        """Make a tracker.

        Args:
            config: method and limits.
            frame_rate: nominal, in frames per second; the actual steps come from the time stamps.
            new_id: returns an id that was never returned before.
            start_score: a detection below it can continue a track but starts none; ByteTrack only.
            persons: splits and joins tracks by their faces; None: a track is a followed box.

        Raises:
            ValueError: the frame rate is not a positive number.
            MissingRuntimeError: the method is an extra, and not installed.
        """
        if not (math.isfinite(frame_rate) and frame_rate > 0):
            raise ValueError(f"the frame rate must be positive, got {frame_rate}")
        self._boxes = _follow(config, frame_rate, start_score, _NEAR if persons is not None else 0.0)
        self._new_id = new_id
        self._persons = persons
        self._tracks: dict[int, _Track] = {}
        """By the person's key or, without ``persons``, by the box's id."""
        self._clock_seconds = -math.inf

    def update(
        self, time: FrameTime, detections: Detections | None, planes: Planes | None = None
    ) -> tuple[list[TrackedFace], list[TrackEnd]]:
        """Take the next frame; return the faces that belong to tracks, best score first, and the tracks that have ended.

        Args:
            time: time of the frame. A time stamp that does not advance counts as 1 ms after the one before.
            detections: None if the detector did not run: tracks continue, none counts as lost, and the next detections are
                matched with the predicted positions.
            planes: the frame, for ``persons``.
        """
        if detections is None:
            return [], []
        self._clock_seconds = max(time.pts_seconds, self._clock_seconds + _SMALLEST_STEP_SECONDS)
        followed = sorted(self._associate(detections))
        keys = self._keys(detections, followed, planes)
        faces = [
            self._face(detections, index, key, time) for (index, _), key in zip(followed, keys, strict=True) if key is not None
        ]
        return faces, [self._end(key) for key in self._over()]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is followed, not even a face that was seen once: continuing is then the same as starting afresh."""
        return not self._boxes.ids and not self._tracks

    def reset(self) -> list[TrackEnd]:
        """End all tracks, for a discontinuity or the end of the stream; the next frame starts afresh."""
        self._boxes.reset()
        if self._persons is not None:
            self._persons.reset()
        self._clock_seconds = -math.inf
        return [self._end(key) for key in list(self._tracks)]

    def _keys(self, detections: Detections, followed: list[tuple[int, int]], planes: Planes | None) -> Sequence[int | None]:
        """Return the key of the track that each detection continues, None while its question is open."""
        if self._persons is None or planes is None:
            return [box_id for _, box_id in followed]
        seen = [
            Seen(box_id, detections.boxes[index], _points(detections, index), float(detections.scores[index]))
            for index, box_id in followed
        ]
        return self._persons.assign(self._clock_seconds, seen, planes)

    def _over(self) -> list[int]:
        alive = set(self._boxes.ids)
        if self._persons is None:
            return [box_id for box_id in self._tracks if box_id not in alive]
        return self._persons.end(alive, self._clock_seconds)

    def _associate(self, detections: Detections) -> list[tuple[int, int]]:
        """Return (index of the detection, id of the box) of each detection in a box."""
        low = detections.boxes[:, :2]
        corners = np.concatenate([low, low + detections.boxes[:, 2:]], axis=1)
        return self._boxes.update(corners, detections.scores, self._clock_seconds)

    def _face(self, detections: Detections, index: int, key: int, time: FrameTime) -> TrackedFace:
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = _Track(self._new_id(), time, time, 0)
        track.last = time
        track.frames_seen += 1
        return TrackedFace(
            track.track_id,
            detections.boxes[index],
            _points(detections, index),
            float(detections.scores[index]),
            None if detections.faceness is None else float(detections.faceness[index]),
        )

    def _end(self, key: int) -> TrackEnd:
        track = self._tracks.pop(key)
        return TrackEnd(track.track_id, Span(track.first, track.last), track.frames_seen)


def _points(detections: Detections, index: int) -> Float32 | None:
    points = detections.landmarks[index]
    return None if np.isnan(points).any() else points


def _follow(config: TrackConfig, frame_rate: float, start_score: float, near: float) -> Boxes:
    if config.method == "ocsort":
        from engine.track.oc_sort import OcSort

        return OcSort(frame_rate, config.lost_seconds, near)
    return ByteTrack(frame_rate, config.lost_seconds, start_score, near)
