"""Cut connections that send far more than a reader has to say.

libzmq bounds the length of a message, not how many topics a peer may subscribe to nor how many parts a message may have: one
connection can make it take a gigabyte in seconds. It names no peer either, but Linux counts the bytes of every TCP connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time

_CHECK_SECONDS = 0.05
_ALERT_CHECK_SECONDS, _ALERT_SECONDS = 0.005, 10.0
"""After a cut: who floods connects again at once."""
_SHARE = 20
"""Of the time between two looks one takes at most a twentieth, however many connections there are."""
_ALLOWED_BYTES = 128 * 1024
"""Thousands of subscriptions; a usual reader sends some hundred bytes."""
_ALLOWED_BYTES_PER_SECOND = 16 * 1024
"""A hundred replay requests a second, besides heartbeats."""
_BYTES_RECEIVED = struct.Struct("=128xQ")
"""``tcpi_bytes_received`` in the kernel's ``struct tcp_info``."""


class FloodGuard:
    """Watches the connections that others made to this process's TCP ports. For one thread.

    An ``ipc`` endpoint needs no guard: its directory lets nobody in but the owner.
    """

    def __init__(self) -> None:
        self.cut = 0
        """Connections that were cut so far."""
        self._ports: set[int] = set()
        self._seen: dict[tuple[int, str], float] = {}
        self._next_check = 0.0
        self._alert_until = 0.0

    def watch(self, endpoint: str) -> None:
        """Watch the connections to a bound endpoint; any but ``tcp://HOST:PORT`` is left alone."""
        if endpoint.startswith("tcp://"):
            self._ports.add(int(endpoint.rpartition(":")[2]))

    def check(self) -> None:
        """Look at all connections and cut those that flood; does so at most twenty times a second, more often after a cut."""
        now = time.monotonic()
        if not self._ports or now < self._next_check:
            return
        seen: dict[tuple[int, str], float] = {}
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                self._look_at(int(name), seen, now)
        self._seen = seen
        after = time.monotonic()
        pause_seconds = _ALERT_CHECK_SECONDS if now < self._alert_until else _CHECK_SECONDS
        self._next_check = after + max(pause_seconds, _SHARE * (after - now))

    def _look_at(self, number: int, seen: dict[tuple[int, str], float], now: float) -> None:
        if not os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
            return
        # The duplicate stays the same connection even if libzmq closes its own meanwhile.
        with socket.socket(fileno=os.dup(number)) as connection:
            if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.type != socket.SOCK_STREAM:
                return
            if connection.getsockname()[1] not in self._ports:
                return
            key = (number, str(connection.getpeername()))  # a listening socket has no peer: OSError
            since = seen[key] = self._seen.get(key, now)
            (received,) = _BYTES_RECEIVED.unpack(
                connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.size)
            )
            if received > _ALLOWED_BYTES + _ALLOWED_BYTES_PER_SECOND * (now - since):
                connection.shutdown(socket.SHUT_RDWR)
                self.cut += 1
                self._alert_until = now + _ALERT_SECONDS
