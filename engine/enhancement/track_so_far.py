"""What an enhance worker has seen of a track that goes on."""

from __future__ import annotations

from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Span


class TrackSoFar:
    """What this worker has seen of a track that goes on."""

    def __init__(self, first: FaceCrop) -> None:
        self._stream, self._track_id = first.stream, first.track_id
        self._first = self._last = first.time
        self.live = first.live
        self.faces = 0
        self.is_known = False
        """What was decided last: no news of it yet is no name."""

    def add(self, crop: FaceCrop) -> None:
        """Count one more enhanced face."""
        self._last = crop.time
        self.faces += 1

    def as_closed(self) -> TrackClosed:
        """Return the track as if it ended with its newest enhanced face."""
        return TrackClosed(self._stream, self._track_id, Span(self._first, self._last), self.faces)
