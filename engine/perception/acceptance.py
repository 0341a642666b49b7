"""Which tracks are of a face: a track may speak once the second look has accepted what was seen of it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from engine.contracts.frames import TrackedFace, TrackEnd
from engine.detect.second_look import Faceness


@dataclass(slots=True)
class _Track:
    detections: int = 0
    evidence: float = 0.0
    """See ``Faceness.gained`` and ``Faceness.unseen``."""
    likely: bool = False
    """A face of it is accepted, once the track is long enough."""
    accepted: bool = False


class Acceptance:
    """Holds back the faces of tracks that may be of no face, for one stream.

    A track is accepted once it has ``min_detections`` and one of its faces is accepted, with what was seen before it and how
    steadily, or, at whatever length, once a face is sure enough to stand alone. Where nobody took a second look its length
    alone decides.
    """

    def __init__(self, min_detections: int, limits: Faceness | None) -> None:
        self._min_detections, self._limits = min_detections, limits
        self._tracks: dict[int, _Track] = {}
        self.rejected = 0
        """Tracks that ended without having been accepted; none where nobody took a second look."""
        self.refused = 0
        """Faces that were not passed on."""

    def admit(self, faces: Sequence[TrackedFace]) -> list[TrackedFace]:
        """Return the faces of one look that may go on: those of accepted tracks that are not clearly none."""
        self._miss({face.track_id for face in faces})
        admitted = [face for face in faces if self._is_admitted(face)]
        self.refused += len(faces) - len(admitted)
        return admitted

    def is_accepted(self, track_id: int) -> bool:
        """Whether a track that is not over has been accepted."""
        return track_id in self._tracks and self._tracks[track_id].accepted

    def close(self, ends: Sequence[TrackEnd]) -> list[TrackEnd]:
        """Forget tracks that are over; return those that had been accepted."""
        published = [end for end in ends if self._tracks.pop(end.track_id, _Track()).accepted]
        if self._limits is not None:
            self.rejected += len(ends) - len(published)
        return published

    def _miss(self, seen: Set[int]) -> None:
        if self._limits is None:
            return
        for track_id, track in self._tracks.items():
            if track_id not in seen:
                track.evidence = self._limits.unseen(track.evidence)

    def _is_admitted(self, face: TrackedFace) -> bool:
        track = self._tracks.setdefault(face.track_id, _Track())
        track.detections += 1
        long_enough = track.detections >= self._min_detections
        if self._limits is None or face.faceness is None:
            track.accepted |= long_enough
            return track.accepted
        track.evidence = self._limits.gained(track.evidence, face)
        track.likely |= self._limits.accepts(face, track.evidence)
        track.accepted |= (track.likely and long_enough) or self._limits.accepts_alone(face)
        return track.accepted and face.faceness >= self._limits.refused_below
