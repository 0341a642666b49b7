"""What a subscriber saw of cameras that die and come back, and what it says about them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from engine.client import End, Face, Gap, Received, Stats, Stream, Subscriber, Track
from engine.contracts.replay import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
LIVE_SECONDS = 60.0
"""A camera that is not live again by then never will be."""
SETTLE_SECONDS = 0.3
"""What a camera sends so soon after its return is not taken for usual."""


@dataclass(frozen=True)
class Outage:
    """One step; times in ns (Unix)."""

    stream: str
    killed_ns: int
    back_ns: int
    """The server's port was bound again."""
    live_ns: int


@dataclass
class Seen:
    """What the subscriber was sent; filled by its thread, read by the other."""

    live: dict[str, int] = field(default_factory=dict)
    """When each stream was last called live (ns)."""
    faces: list[Face] = field(default_factory=list)
    tracks: set[tuple[str, int]] = field(default_factory=set)
    ended: set[tuple[str, int]] = field(default_factory=set)
    reused: list[str] = field(default_factory=list)
    stats: list[Stats] = field(default_factory=list)
    end: End | None = None
    missed: int = 0
    malformed: int = 0
    error: str = ""
    news: threading.Condition = field(default_factory=threading.Condition)

    def follow(self, endpoint: str) -> None:
        """Body of the thread."""
        with Subscriber(endpoint, kinds=KINDS, max_age_seconds=None, timeout_seconds=LIVE_SECONDS) as subscriber:
            try:
                for item in subscriber:
                    with self.news:
                        self._take(item)
                        self.news.notify_all()
            except Exception as error:  # whatever it is, it belongs into the result
                self.error = f"{type(error).__name__}: {error}"
            self.malformed = subscriber.counters["malformed"]

    def _take(self, item: Received | Gap) -> None:
        if isinstance(item, Gap):
            self.missed += len(item)
            return
        match message := item.message:
            case Face() | Track():
                key = (message.stream, message.track_id)
                if key in self.ended:
                    self.reused.append(f"{key} again after its end, by a {type(message).__name__}")
                self.tracks.add(key)
                if isinstance(message, Face):
                    self.faces.append(message)
                    self.live.setdefault(message.stream, message.sent_ns)  # it may have been so before this had connected
                elif message.ended:
                    self.ended.add(key)
            case Stream(state="live"):
                self.live[message.stream] = message.sent_ns
            case Stats():
                self.stats.append(message)
            case End():
                self.end = message

    def wait_live(self, stream: str, after_ns: int) -> int:
        """Return when the stream came live after a moment.

        Raises:
            TimeoutError: it did not.
        """
        with self.news:
            if not self.news.wait_for(lambda: self.live.get(stream, 0) > after_ns or self.end, LIVE_SECONDS) or self.end:
                raise TimeoutError(f"{stream} was not live within {LIVE_SECONDS:g} s of its server's return")
            return self.live[stream]


def spread(values: list[float]) -> dict[str, float]:
    """Return count, percentiles and the largest; the count alone where there is nothing."""
    if not values:
        return {"count": 0}
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"count": len(values), "p50": float(p50), "p95": float(p95), "p99": float(p99), "max": max(values)}


def first_faces(seen: Seen, outages: Sequence[Outage]) -> list[float]:
    """From each return of a server to the first face of a picture that was taken after it."""
    result = []
    for outage in outages:
        sent = [f.sent_ns for f in seen.faces if f.stream == outage.stream and f.captured_ns > outage.back_ns]
        result += [(min(sent) - outage.back_ns) / 1e6] if sent else []
    return result


def latencies(seen: Seen, outages: Sequence[Outage], from_ns: int, to_ns: int) -> list[float]:
    """From capture to sending, of the faces of cameras that are not being restarted at that time."""

    def is_away(face: Face) -> bool:
        return any(
            o.stream == face.stream and o.killed_ns <= face.captured_ns <= o.live_ns + SETTLE_SECONDS * 1e9 for o in outages
        )

    chosen = [face for face in seen.faces if from_ns <= face.captured_ns < to_ns and not is_away(face)]
    return [(face.sent_ns - face.captured_ns) / 1e6 for face in chosen]


def across(seen: Seen, outages: Sequence[Outage]) -> int:
    """Count tracks that have faces from before and from after an outage of their camera."""
    count = 0
    for outage in outages:
        faces = [face for face in seen.faces if face.stream == outage.stream]
        old = {face.track_id for face in faces if face.captured_ns < outage.killed_ns}
        count += len(old & {face.track_id for face in faces if face.captured_ns > outage.back_ns})
    return count
