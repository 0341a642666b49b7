"""Number messages: the publisher alone knows what was sent, so it alone gives out ``seq``."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine.contracts.envelope import Body, Envelope, kind_of_body, sealed
from engine.contracts.faces import FaceResult, Sighting, TrackResult
from engine.contracts.messages import AnyMessage
from engine.contracts.streams import RunEnd, StreamChanged


class Numbering:
    """Gives each body its envelope, and what follows from the numbers of earlier messages."""

    def __init__(self, run_id: str, next_seq: Mapping[str, int] | None = None) -> None:
        """Begin a run, or go on with one whose publisher was restarted.

        Args:
            run_id: stands in every message.
            next_seq: ``<kind>/<stream>`` to the next number, as ``Resume.next_seq``; series that are not named begin at 0.
        """
        self.run_id = run_id
        self._next: dict[tuple[str, str], int] = {}
        for series, number in (next_seq or {}).items():
            kind, _, stream = series.partition("/")
            self._next[kind, stream] = number
        self._best: dict[str, dict[int, tuple[float, int]]] = {}

    def stamp(self, body: Body) -> AnyMessage:
        """Return the message that goes out for a body."""
        kind, stream = kind_of_body(body), body.stream
        seq = self._next.get((kind, stream), 0)
        self._next[kind, stream] = seq + 1
        known: dict[str, object] = {}
        match body:
            case FaceResult():
                self._note(body.face, seq)
            case TrackResult():
                best = self._best.get(stream, {}).get(body.track.track_id)
                known["best_face_seq"] = best[1] if best else None
            case RunEnd():
                known["last_seq"] = self.last_seq
        self._forget(body)
        return sealed(body, Envelope(self.run_id, seq, time.time_ns()), **known)

    @property
    def last_seq(self) -> dict[str, int]:
        """``<kind>/<stream>`` to the last number given out; ``end`` itself is left out."""
        return {f"{kind}/{stream}": following - 1 for (kind, stream), following in self._next.items() if kind != "end"}

    def _note(self, face: Sighting, seq: int) -> None:
        tracks = self._best.setdefault(face.stream, {})
        best = tracks.get(face.track_id)
        if best is None or face.quality.score > best[0]:
            tracks[face.track_id] = (face.quality.score, seq)

    def _forget(self, body: Body) -> None:
        if isinstance(body, TrackResult) and body.ended:
            self._best.get(body.stream, {}).pop(body.track.track_id, None)
        elif isinstance(body, StreamChanged) and body.is_last:
            self._best.pop(body.stream, None)
