"""Packets between the thread that reads a camera and the one that decodes: bounded, and never blocking the reader."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import av

LATE_SECONDS = 0.5
"""An older packet is dropped if a later key frame is already in the queue."""
TOO_LATE_SECONDS = 2.0
"""An older packet is always dropped: catching up would take longer than waiting for the next key frame."""
MAX_PACKETS = 512
MAX_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """One packet, or one picture of a device that gives pictures, with its arrival."""

    payload: av.Packet[Any] | av.VideoFrame
    key: bool
    size_bytes: int
    captured_ns: int
    """Wall-clock time right after it was read."""
    arrived_monotonic: float
    ntp_ns: int | None = None


class PacketQueue:
    """One writer, one reader. Times are ``time.monotonic``."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._dropped = 0
        self._broken = False
        self._over = False
        self._woken = False

    def put(self, arrival: Arrival) -> None:
        """Add one; if there are too many, drop all up to the newest key frame."""
        with self._changed:
            self._waiting.append(arrival)
            self._bytes += arrival.size_bytes
            if len(self._waiting) > MAX_PACKETS or self._bytes > MAX_BYTES:
                self._drop_to(self._newest_key() or len(self._waiting))
            self._changed.notify()

    def end(self) -> None:
        """Note that nothing more will be added."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def wake(self) -> None:
        """Make ``get`` return now: its caller has something else to do."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def get(self, wait_seconds: float) -> Arrival | None:
        """Return the next arrival, dropping late ones; None if none came in time, and after ``wake`` or ``end``."""
        with self._changed:
            if not self._waiting and not self._over and not self._woken:
                self._changed.wait(wait_seconds)
            self._woken = False
            self._leave_out_late(time.monotonic())
            if not self._waiting:
                return None
            arrival = self._waiting.popleft()
            self._bytes -= arrival.size_bytes
            return arrival

    def take_dropped(self) -> tuple[int, bool]:
        """Return how many were dropped since the last call, and whether the next one does not continue the one before."""
        with self._changed:
            result, self._dropped, self._broken = (self._dropped, self._broken), 0, False
            return result

    @property
    def ended(self) -> bool:
        """Whether everything was taken, and no more will come."""
        with self._changed:
            return self._over and not self._waiting

    def _leave_out_late(self, now: float) -> None:
        if not self._waiting or now - self._waiting[0].arrived_monotonic <= LATE_SECONDS:
            return
        newest, everything = self._newest_key(), len(self._waiting)
        too_late = now - self._waiting[0].arrived_monotonic > TOO_LATE_SECONDS
        if newest < everything or too_late:
            self._drop_to(newest)

    def _newest_key(self) -> int:
        """Return the index of the newest key frame, ``len`` if there is none."""
        for place in range(len(self._waiting) - 1, -1, -1):
            if self._waiting[place].key:
                return place
        return len(self._waiting)

    def _drop_to(self, place: int) -> None:
        for _ in range(place):
            self._bytes -= self._waiting.popleft().size_bytes
        self._dropped += place
        self._broken = self._broken or place > 0
