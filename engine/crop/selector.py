"""Which faces of a track are passed on.

Each face that is offered is rated first; it is cut only where it could be kept, since frames vanish after the call and
cutting copies. Memory per open track is bounded: no crop under ``every`` and ``prompt``, one under ``interval``, ``top_k``
under ``best``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from engine.config import CropConfig
from engine.contracts.counts import StreamCount
from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Frame, TrackedFace
from engine.contracts.intervals import reaches, whole_intervals
from engine.crop.cut import cut_face
from engine.crop.quality import assess, is_only_blurred
from engine.crop.scene import Scenes

CLEARLY_BETTER = 1.25
"""``prompt``: a face is worth another message when its score is so many times the best that was sent of its interval.

On 17 tracks (44 s at 10 detections/s) of people who sign, walk up and turn, intervals of 1 s: the best face of an interval
scores 0.98 (factor 1.1), 0.96 (1.25), 0.93 (1.5), 0.84 (first faces only) of that of ``interval``, for 2.2, 1.7, 1.5, 1.2
faces a second.

A face is worth another scene when its score is more than so many times that of the track's last one: as scores end at 1, that
is seldom.
"""
_SPREAD = 0.5
_GOLDEN = 0.618
"""Camera tracks that begin together, as when all cameras come live, must not ask for an enhanced face together ever after: the
first interval of each is shorter by up to ``_SPREAD``, by a share that multiples of the golden ratio spread over the tracks."""
_IN_FUNNEL: Mapping[str, StreamCount] = {
    "faces.too_small": "too_small",
    "faces.outside": "too_small",
    "faces.outranked": "outranked",
    "faces.thinned": "late",
}
THINNED_GAP_SECONDS = 0.2
"""``every``: two faces of a track lie at least so far apart for each 1 of ``thinning`` above 1."""


@dataclass(slots=True)
class _Track:
    """What is kept of one track."""

    stream: str
    began_seconds: float
    """When the open interval began, or would have, by the stream's clock."""
    part: int = 0
    """Of the open interval, which thinning makes longer: in which of the configured ones within it the last face lay."""
    sent_score: float = 0.0
    """``prompt``: best quality that was returned in this interval; 0: none yet."""
    best_sent: Quality | None = None
    """``prompt``: what has that quality."""
    unthinned_score: float = 0.0
    """``prompt``: the same as it would be in this part without thinning."""
    sent_seconds: float = -math.inf
    """``every``: when the last face was returned."""
    crops: list[FaceCrop] = field(default_factory=list)
    """What is held, worst first; only the best may have a scene."""
    scene_score: float = -1.0
    """Quality of the last face that was returned with a scene; below 0: none yet."""

    def note_scene(self, crop: FaceCrop) -> None:
        """A face is returned."""
        if crop.scene is not None:
            self.scene_score = crop.quality.score

    def deserves_scene(self, quality: Quality) -> bool:
        """Whether a face is clearly the best so far, and better than what is held."""
        return quality.score > max(
            CLEARLY_BETTER * self.scene_score, max((held.quality.score for held in self.crops), default=-1.0)
        )


class Selector:
    """Picks the faces of each track that are worth enhancing by the configured policy, for any number of streams.

    ``counters`` are totals since the start: ``faces.offered`` = ``faces.selected`` (returned) + ``faces.outranked`` (a better
    one of the same track took the place) + ``faces.thinned`` (left out for ``thinning`` alone) + ``faces.too_small`` (under
    ``min_size_px``) + ``faces.outside`` (nothing of the face is in the picture) + those still held. Faces over
    ``max_size_px`` are treated like all others: the enhancer passes them through.
    """

    def __init__(
        self,
        config: CropConfig,
        *,
        live: bool = False,
        counts: Counter[StreamCount] | None = None,
        scenes: bool = False,
    ) -> None:
        """Make a selector without tracks.

        Args:
            config: the policy; ``auto`` is ``prompt`` where ``live``, else ``interval``.
            live: the faces come from a camera, and their crops say so.
            counts: of the stream whose faces these are, to add to what became of them.
            scenes: a face that is clearly the best of its track so far has the whole picture with it.
        """
        self._counts = Counter[StreamCount]() if counts is None else counts
        self._config = config
        self._live = live
        self._scenes = Scenes() if scenes else None
        chosen = config.policy
        self.policy = ("prompt" if live else "interval") if chosen == "auto" else chosen
        self._tracks: dict[int, _Track] = {}
        self.counters: Counter[str] = Counter()
        self.thinning = 1.0
        """At least 1; may be set at any time. The governor raises it under overload: intervals become so many times longer,
        under ``every`` faces get a minimal distance, under ``best`` nothing changes."""

    def offer(self, frame: Frame, faces: Sequence[TrackedFace]) -> list[FaceCrop]:
        """Rate the faces of a frame and return the crops that are due now, in the order of their time.

        Call it for each frame, also without faces: under ``interval`` time alone closes the intervals of this stream's tracks.
        """
        due = self._close_intervals(frame) if self.policy == "interval" else []
        for face in faces:
            crop = self._consider(frame, face)
            if crop is not None:
                due.append(crop)
        if self._scenes is not None:
            self._scenes.forget()
        self.counters["faces.selected"] += len(due)
        return due

    def close_track(self, track_id: int) -> list[FaceCrop]:
        """Forget a track and return what is still held of it, in the order of time; empty for an unknown track."""
        track = self._tracks.pop(track_id, None)
        if track is None:
            return []
        self.counters["faces.selected"] += len(track.crops)
        return sorted(track.crops, key=_time_order)

    def drain(self) -> list[FaceCrop]:
        """Close all tracks, in the order in which they began."""
        return [crop for track_id in list(self._tracks) for crop in self.close_track(track_id)]

    def _close_intervals(self, frame: Frame) -> list[FaceCrop]:
        due: list[FaceCrop] = []
        for track in self._tracks.values():
            if track.stream == frame.stream and self._open_next_interval(track, frame):
                due += track.crops
                for crop in track.crops:
                    track.note_scene(crop)
                track.crops = []
        return sorted(due, key=_time_order)

    def _open_next_interval(self, track: _Track, frame: Frame) -> bool:
        """Go on to the interval of this frame, counted from the track's first face; time that steps back changes nothing."""
        length_seconds = self._config.interval_seconds * self.thinning
        passed = whole_intervals(frame.time.pts_seconds - track.began_seconds, length_seconds)
        if passed < 1:
            return False
        track.began_seconds += passed * length_seconds
        track.part = 0
        track.sent_score = track.unthinned_score = 0.0
        track.best_sent = None
        return True

    def _consider(self, frame: Frame, face: TrackedFace) -> FaceCrop | None:
        """Keep a face or not; return it where the policy wants it at once."""
        self.counters["faces.offered"] += 1
        _, _, width, height = face.box.tolist()
        if not max(width, 0.0) * max(height, 0.0) >= self._config.min_size_px**2:
            self._leave_out("faces.too_small")
            return None
        track = self._tracks.get(face.track_id)
        if self.policy == "every" and track is not None and self._too_soon(track, frame):
            self._leave_out("faces.thinned")
            return None
        quality = assess(frame.planes, face.box, face.landmarks, face.score, damaged=frame.damaged)
        if self.policy == "every":
            return self._send(track, frame, face, quality)
        if self.policy == "prompt":
            return self._prompt(track, frame, face, quality)
        self._hold(track, frame, face, quality)
        return None

    def _too_soon(self, track: _Track, frame: Frame) -> bool:
        since_seconds = frame.time.pts_seconds - track.sent_seconds
        return since_seconds >= 0 and not reaches(since_seconds, (self.thinning - 1.0) * THINNED_GAP_SECONDS)

    def _prompt(self, track: _Track | None, frame: Frame, face: TrackedFace, quality: Quality) -> FaceCrop | None:
        """Return the first face of an interval, and any that is clearly better than those before."""
        if track is not None:
            self._open_next_interval(track, frame)
            if self._is_new_part(track, frame):
                track.unthinned_score = 0.0
            wanted = quality.score >= track.unthinned_score * CLEARLY_BETTER
            if wanted:
                track.unthinned_score = quality.score
            # How many better ones there can be goes with the logarithm of the factor: the power thins them out, too.
            if quality.score < track.sent_score * CLEARLY_BETTER**self.thinning:
                self._outrank("faces.thinned" if wanted else "faces.outranked", quality, track.best_sent)
                return None
        return self._send(track, frame, face, quality)

    def _send(self, track: _Track | None, frame: Frame, face: TrackedFace, quality: Quality) -> FaceCrop | None:
        crop = self._cut(track, frame, face, quality)
        if crop is not None:
            track = track or self._begin(frame, face)
            track.note_scene(crop)
            track.sent_seconds = frame.time.pts_seconds
            if quality.score > track.sent_score:
                track.sent_score, track.best_sent = quality.score, quality
            track.unthinned_score = max(track.unthinned_score, quality.score)
        return crop

    def _hold(self, track: _Track | None, frame: Frame, face: TrackedFace, quality: Quality) -> None:
        """Keep the face while it is among the best of its interval or track."""
        is_full = track is not None and len(track.crops) >= (self._config.top_k if self.policy == "best" else 1)
        cause = "faces.outranked"
        # Without thinning each configured interval would have given a face of its own, not one of the two that meet here.
        if track is not None and is_full and self.policy == "interval" and self._is_new_part(track, frame):
            cause = "faces.thinned"
        if track is not None and is_full and quality.score <= track.crops[0].quality.score:
            self._outrank(cause, quality, track.crops[0].quality)
            return
        crop = self._cut(track, frame, face, quality)
        if crop is None:
            return
        track = track or self._begin(frame, face)
        if crop.scene is not None:
            track.crops = [replace(held, scene=None) for held in track.crops]
        if is_full:
            self._outrank(cause, track.crops.pop(0).quality, quality)
        track.crops.append(crop)
        track.crops.sort(key=_rank)

    def _begin(self, frame: Frame, face: TrackedFace) -> _Track:
        early = _SPREAD * (face.track_id * _GOLDEN % 1.0) * self._config.interval_seconds if self._live else 0.0
        track = self._tracks[face.track_id] = _Track(frame.stream, frame.time.pts_seconds - early)
        return track

    def _cut(self, track: _Track | None, frame: Frame, face: TrackedFace, quality: Quality) -> FaceCrop | None:
        crop = cut_face(frame, face, quality, self._config.margin, live=self._live)
        if crop is None:
            self._leave_out("faces.outside")
        elif self._scenes is not None and (track is None or track.deserves_scene(quality)):
            return self._scenes.added(crop, frame)
        return crop

    def _outrank(self, cause: str, worse: Quality, better: Quality | None) -> None:
        self._leave_out(cause)
        if cause == "faces.outranked" and better is not None and is_only_blurred(worse, better):
            self._counts["blurred"] += 1

    def _leave_out(self, cause: str) -> None:
        self.counters[cause] += 1
        self._counts[_IN_FUNNEL[cause]] += 1

    def _is_new_part(self, track: _Track, frame: Frame) -> bool:
        """Go on to the configured interval of this frame within the open one, which thinning makes longer."""
        part = whole_intervals(frame.time.pts_seconds - track.began_seconds, self._config.interval_seconds)
        is_new = part > track.part
        track.part = max(track.part, part)
        return is_new


def _rank(crop: FaceCrop) -> float:
    return crop.quality.score


def _time_order(crop: FaceCrop) -> int:
    return crop.time.frame_index
