"""Of each track that is not accepted yet, its likeliest look so far: what is left of it if it is rejected in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.config import Config
from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Frame, TrackedFace, TrackEnd
from engine.contracts.rejected import TrackRejected
from engine.crop.cut import cut_face
from engine.detect.second_look import Faceness

_UNRATED = Quality(size_px=0.0, sharpness=0.0, frontal=0.0, score=0.0)


def are_wanted(config: Config) -> bool:
    """Whether a run keeps pictures of rejected tracks: never where faces are hidden or no picture of one is written."""
    output, publish = config.output, config.publish
    shown = publish.redact == "none" and not {"original", "enhanced"}.isdisjoint(publish.parts)
    return bool(output.directory and output.rejected_pictures) and shown


class NearMisses:
    """Holds one crop for each open track that came near and is not accepted, so as many as are followed at once.

    Args:
        limits: what follows from the second look.
        margin: of the crops, as ``crop.margin``.
    """

    def __init__(self, limits: Faceness, margin: float) -> None:
        self._limits, self._margin = limits, margin
        self._best: dict[int, tuple[float, FaceCrop]] = {}

    def look(self, frame: Frame, faces: Sequence[TrackedFace], is_accepted: Callable[[int], bool]) -> None:
        """Take the faces of one look; a face is cut only where it is likelier than the one that is held.

        Args:
            frame: that they are in.
            faces: of all tracks.
            is_accepted: tells of a track, by its id, whether it was taken for one of a face.
        """
        for face in faces:
            if is_accepted(face.track_id):
                self._best.pop(face.track_id, None)
                continue
            score = self._limits.likeness(face)
            held = self._best.get(face.track_id)
            if score < self._limits.near_from or (held is not None and score <= held[0]):
                continue
            if (crop := cut_face(frame, face, _UNRATED, self._margin)) is not None:
                self._best[face.track_id] = score, crop

    def end(self, stream: str, end: TrackEnd) -> TrackRejected | None:
        """Return what is left of a track that is over; None where it did not come near, or was accepted."""
        if (held := self._best.pop(end.track_id, None)) is None:
            return None
        return TrackRejected(stream, end.track_id, held[1], held[0], end.frames_seen)
