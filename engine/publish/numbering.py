"""Number messages: the publisher alone knows what was sent, so it alone gives out ``seq``."""

from __future__ import annotations

import time
from collections.abc import Mapping

from msgspec.structs import replace

from engine.contracts.messages import AnyMessage, End, Face, Stats, Stream, Track, kind_of


class Numbering:
    """Stamps ``run_id``, ``seq`` and ``sent_ns``, and fills what follows from the numbers of earlier messages."""

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

    def stamp(self, message: AnyMessage) -> AnyMessage:
        """Return ``message`` as it goes out.

        ``Track.best_face_seq`` and ``End.last_seq`` are filled where they are empty; ``stats`` and ``end`` lose their stream.
        """
        kind = kind_of(message)
        stream = "" if isinstance(message, Stats | End) else message.stream
        seq = self._next.get((kind, stream), 0)
        self._next[kind, stream] = seq + 1
        now_ns = time.time_ns()
        match message:
            case Face():
                self._note(message, seq)
            case Track(best_face_seq=None):
                best = self._best.get(stream, {}).get(message.track_id)
                message = replace(message, best_face_seq=best[1] if best else None)
            case End(last_seq={}):
                message = replace(message, last_seq=self.last_seq)
        self._forget(message)
        return replace(message, run_id=self.run_id, stream=stream, seq=seq, sent_ns=now_ns)

    @property
    def last_seq(self) -> dict[str, int]:
        """``<kind>/<stream>`` to the last number given out; ``end`` itself is left out."""
        return {f"{kind}/{stream}": following - 1 for (kind, stream), following in self._next.items() if kind != "end"}

    def _note(self, face: Face, seq: int) -> None:
        tracks = self._best.setdefault(face.stream, {})
        best = tracks.get(face.track_id)
        if best is None or face.quality.score > best[0]:
            tracks[face.track_id] = (face.quality.score, seq)

    def _forget(self, message: AnyMessage) -> None:
        if isinstance(message, Track) and message.ended:
            self._best.get(message.stream, {}).pop(message.track_id, None)
        elif isinstance(message, Stream) and message.state in ("ended", "failed"):
            self._best.pop(message.stream, None)
