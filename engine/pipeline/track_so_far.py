"""What an enhance worker has seen of a track that goes on."""

from __future__ import annotations

from engine.contracts.links import FaceCrop, TrackClosed


class TrackSoFar:
    """What this worker has seen of a track that goes on."""

    def __init__(self, first: FaceCrop) -> None:
        self.first = first
        self.last = first
        self.faces = 0

    def as_closed(self) -> TrackClosed:
        """Return the track as if it ended with its newest enhanced face."""
        first, last = self.first, self.last
        return TrackClosed(
            stream=first.stream,
            track_id=first.track_id,
            first_pts=first.pts,
            first_pts_seconds=first.pts_seconds,
            last_pts=last.pts,
            last_pts_seconds=last.pts_seconds,
            time_base=first.time_base,
            frames_seen=self.faces,
            first_recorded_ns=first.recorded_ns,
            last_recorded_ns=last.recorded_ns,
        )
