"""Which faces of a track are passed on.

Each face that is offered is rated first; it is cut only where it could be kept, since frames vanish after the call and
cutting copies. Memory per track is bounded: nothing under ``every``, one crop under ``interval``, ``top_k`` under ``best``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.config import CropConfig
from engine.contracts.frames import Frame, TrackedFace
from engine.contracts.links import FaceCrop
from engine.crop.cut import cut_face
from engine.crop.quality import assess


@dataclass(slots=True)
class _Held:
    """What is kept of one track, worst first."""

    stream: str
    started_seconds: float
    interval: int = 0
    crops: list[FaceCrop] = field(default_factory=list)


class Selector:
    """Keeps the best faces of each track by the configured policy, for any number of streams.

    ``counters`` are totals since the start: ``faces.offered`` = ``faces.selected`` (returned) + ``faces.outranked`` (a better
    one of the same track took the place) + ``faces.too_small`` (under ``min_size_px``) + ``faces.outside`` (nothing of the
    face is in the picture) + those still held. Faces over ``max_size_px`` are treated like all others: the enhancer passes
    them through.
    """

    def __init__(self, config: CropConfig) -> None:
        self._config = config
        self._capacity = {"every": 0, "interval": 1, "best": config.top_k}[config.policy]
        self._tracks: dict[int, _Held] = {}
        self.counters: Counter[str] = Counter()

    def offer(self, frame: Frame, faces: Sequence[TrackedFace]) -> list[FaceCrop]:
        """Rate the faces of a frame and return the crops that are due now, in the order of their time.

        Call it for each frame, also without faces: time alone closes the intervals of this stream's tracks.
        """
        due = self._close_intervals(frame) if self._config.policy == "interval" else []
        for face in faces:
            crop = self._consider(frame, face)
            if crop is not None:
                due.append(crop)
        self.counters["faces.selected"] += len(due)
        return due

    def close_track(self, track_id: int) -> list[FaceCrop]:
        """Forget a track and return what is still held of it, in the order of time; empty for an unknown track."""
        held = self._tracks.pop(track_id, None)
        if held is None:
            return []
        self.counters["faces.selected"] += len(held.crops)
        return sorted(held.crops, key=_time_order)

    def drain(self) -> list[FaceCrop]:
        """Close all tracks, in the order in which they began."""
        return [crop for track_id in list(self._tracks) for crop in self.close_track(track_id)]

    def _close_intervals(self, frame: Frame) -> list[FaceCrop]:
        """Intervals are counted from the first face of a track; time that steps back stays in the open one."""
        due: list[FaceCrop] = []
        for held in self._tracks.values():
            if held.stream != frame.stream:
                continue
            interval = int((frame.time.pts_seconds - held.started_seconds) // self._config.interval_seconds)
            if interval > held.interval:
                held.interval = interval
                due += held.crops
                held.crops = []
        return sorted(due, key=_time_order)

    def _consider(self, frame: Frame, face: TrackedFace) -> FaceCrop | None:
        """Keep a face or not; return it where the policy wants it at once."""
        self.counters["faces.offered"] += 1
        _, _, width, height = face.box.tolist()
        if not max(width, 0.0) * max(height, 0.0) >= self._config.min_size_px**2:
            self.counters["faces.too_small"] += 1
            return None
        quality = assess(frame.planes, face.box, face.landmarks, face.score)
        held = self._tracks.get(face.track_id)
        full = held is not None and 0 < self._capacity <= len(held.crops)
        if held is not None and full and quality.score <= held.crops[0].quality.score:
            self.counters["faces.outranked"] += 1
            return None
        crop = cut_face(frame, face, quality, self._config.margin)
        if crop is None:
            self.counters["faces.outside"] += 1
            return None
        if self._capacity == 0:
            return crop
        if held is None:
            held = self._tracks[face.track_id] = _Held(frame.stream, frame.time.pts_seconds)
        if full:
            held.crops.pop(0)
            self.counters["faces.outranked"] += 1
        held.crops.append(crop)
        held.crops.sort(key=_rank)
        return None


def _rank(crop: FaceCrop) -> float:
    return crop.quality.score


def _time_order(crop: FaceCrop) -> int:
    return crop.frame_index
