"""Cut connections that send far more than a reader has to say, and those of a crowd that says nothing.

libzmq bounds the length of a message, not how many topics a peer may subscribe to nor how many parts a message may have: one
connection can make it take a gigabyte in seconds. It names no peer either, but Linux counts the bytes of every TCP connection.
Where the kernel counts none (it is older than 4.1, or emulated) nobody is cut.
"""

from __future__ import annotations

import os
import resource
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from engine.publish.connections import opened
from engine.runtime.descriptors import raise_limit

_CHECK_SECONDS = 0.05
_ALERT_CHECK_SECONDS, _ALERT_SECONDS = 0.005, 10.0
"""After a cut: who floods connects again at once."""
_SHARE = 20
"""Of the time between two looks one takes at most a twentieth, however many connections there are."""
_ALLOWED_BYTES = 128 * 1024
"""Thousands of subscriptions; a usual reader sends some hundred bytes."""
_ALLOWED_BYTES_PER_SECOND = 16 * 1024
"""A hundred replay requests a second, besides heartbeats."""
_MOST_CONNECTIONS = 4096
_WANTED_FILES = 4 * _MOST_CONNECTIONS
"""So many may have come before the next look finds them. By default a process may open 1,024 files, and without a free one
nobody can be looked for, no key read and nothing written."""
_BYTES_RECEIVED = struct.Struct("=128xQ")
"""Of ``tcpi_bytes_received`` in the kernel's ``struct tcp_info``."""


class FloodGuard:
    """Watches the connections that others made to this process's TCP ports. For one thread.

    An ``ipc`` endpoint is not watched, as the kernel counts no bytes there. Its directory lets nobody in but the owner, unless
    it is abstract, or keys or ``insecure`` allow a directory of others: then users of this machine may flood it.

    Args:
        only_crowds: whoever has come in may say as much as libzmq lets it, as pictures; and connections may have a quarter of
            the files that this process may open in place of half, as a service has two such guards.
    """

    def __init__(self, *, only_crowds: bool = False) -> None:
        self.cut = 0
        """Connections that were cut so far."""
        self._only_crowds = only_crowds
        self._ports: set[int] = set()
        self._since: dict[tuple[int, str], float] = {}
        self._next_check = 0.0
        self._alert_until = 0.0

    def watch(self, endpoint: str) -> None:
        """Watch the connections to a bound endpoint; any but ``tcp://HOST:PORT`` is left alone."""
        if endpoint.startswith("tcp://"):
            raise_limit(_WANTED_FILES)
            self._ports.add(int(endpoint.rpartition(":")[2]))

    def check(self) -> None:
        """Look at all connections and cut what has to be; does so at most twenty times a second, more often after a cut."""
        now = time.monotonic()
        if not self._ports or now < self._next_check:
            return
        said = self._look()
        self._since = {key: self._since.get(key, now) for key in said}
        for key, count in said.items():
            if not self._only_crowds and count > _ALLOWED_BYTES + _ALLOWED_BYTES_PER_SECOND * (now - self._since[key]):
                self._cut(key, now)
        # With more of the files that this process may open the next connection could cost it its output.
        most = min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // (4 if self._only_crowds else 2))
        for key in sorted(said, key=lambda key: said[key])[: max(0, len(said) - most)]:
            self._cut(key, now)
        after = time.monotonic()
        pause_seconds = _ALERT_CHECK_SECONDS if now < self._alert_until else _CHECK_SECONDS
        self._next_check = after + max(pause_seconds, _SHARE * (after - now))

    def _look(self) -> dict[tuple[int, str], int]:
        """Return file number and peer of each connection, and the bytes that it has sent."""
        said = {}
        with suppress(OSError):  # too many open files: the sockets' own time-out has to help
            for name in os.listdir("/proc/self/fd"):
                with suppress(OSError, struct.error), self._opened(int(name)) as connection:
                    if connection is not None:
                        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.size)
                        said[int(name), str(connection.getpeername())] = _BYTES_RECEIVED.unpack(info)[0]
        return said

    def _cut(self, key: tuple[int, str], now: float) -> None:
        with suppress(OSError), self._opened(key[0]) as connection:
            if connection is not None and str(connection.getpeername()) == key[1]:
                connection.shutdown(socket.SHUT_RDWR)
                self.cut += 1
                self._alert_until = now + _ALERT_SECONDS

    @contextmanager
    def _opened(self, number: int) -> Iterator[socket.socket | None]:
        """Yield a connection to one of the ports, None for any other file."""
        with opened(number) as one:
            if one is None or one.family not in (socket.AF_INET, socket.AF_INET6) or one.type != socket.SOCK_STREAM:
                yield None
            else:
                yield one if one.getsockname()[1] in self._ports else None
