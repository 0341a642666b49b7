"""The newest packets of a stream that is decoded only on demand: from a key frame on, bounded in bytes."""

from __future__ import annotations

from collections import deque

import av

from engine.decode.moments import Stamp
from engine.decode.packet_queue import Arrival

KEPT_SECONDS = 2.0
"""Older moments are no longer requested."""
MAX_BYTES = 24 << 20


class KeptPackets:
    """Packets numbered from 0 in the order of arrival. Not thread-safe.

    Args:
        time_base_seconds: duration of a tick of their time stamps.
        max_bytes: total size; if more comes without a key frame, none is kept until the next one.
    """

    def __init__(self, time_base_seconds: float, max_bytes: int = MAX_BYTES) -> None:
        self._time_base_seconds, self._max_bytes = time_base_seconds, max_bytes
        self._kept: deque[tuple[Arrival, Stamp]] = deque()
        self._keys: deque[int] = deque()
        self.first = 0
        """Number of the oldest packet."""
        self.size_bytes = 0

    @property
    def end(self) -> int:
        """Number of the next packet to come."""
        return self.first + len(self._kept)

    @property
    def stamps(self) -> list[Stamp]:
        """Stamp of each packet from ``first`` on."""
        return [stamp for _, stamp in self._kept]

    def __getitem__(self, number: int) -> Arrival:
        return self._kept[number - self.first][0]

    def stamp(self, number: int) -> Stamp:
        """Return the stamp of a packet."""
        return self._kept[number - self.first][1]

    def key_before(self, number: int) -> int:
        """Return the number of the key frame from which decoding of a picture must start."""
        return next(key for key in reversed(self._keys) if key <= number)

    def add(self, arrival: Arrival) -> Stamp | None:
        """Keep a packet; return its stamp, or None if it was not kept because it depends on missing packets."""
        if not arrival.key and not self._kept:
            self.first += 1
            return None
        if arrival.key:
            self._keys.append(self.end)
        stamp = self._stamp_of(arrival)
        self._kept.append((arrival, stamp))
        self.size_bytes += arrival.size_bytes
        if arrival.key:
            old = [key for key in self._keys if self[key].arrived_monotonic < arrival.arrived_monotonic - KEPT_SECONDS]
            self._drop_to(old[-1] if old else self.first)
        if self.size_bytes > self._max_bytes:
            self._drop_to(self._keys[-1])
            if self.size_bytes > self._max_bytes:
                self.clear()
        return stamp

    def clear(self) -> None:
        """Drop all packets: the next one does not continue them."""
        self._drop_to(self.end)

    def _drop_to(self, number: int) -> None:
        while self.first < number:
            self.size_bytes -= self._kept.popleft()[0].size_bytes
            self.first += 1
        while self._keys and self._keys[0] < self.first:
            self._keys.popleft()

    def _stamp_of(self, arrival: Arrival) -> Stamp:
        payload = arrival.payload
        ticks = payload.pts
        if isinstance(payload, av.VideoFrame) and ticks is not None:
            seconds: float | None = float(ticks * (payload.time_base or 0))
        else:
            seconds = None if ticks is None else ticks * self._time_base_seconds
        ntp = None if arrival.ntp_ns is None else arrival.ntp_ns / 1e9
        return Stamp(seconds, arrival.arrived_monotonic, ntp)
