"""The TCP sockets that FFmpeg holds for a camera: to wake a blocked reader, and to see how a connection ended.

FFmpeg has no way to interrupt a read from another thread, and PyAV's own time-out would end it for good. Shutting the
socket's receiving side down ends the read as if the camera had closed, and leaves the sending side for RTSP's TEARDOWN.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

_FDS = "/proc/self/fd"
_TCP_CLOSE = 7
"""State of a socket after a reset, see Linux's ``tcp_states.h``; an orderly close leaves it in CLOSE_WAIT."""
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))


class CameraSockets:
    """The TCP connections to one server that this process opens from now on.

    Args:
        port: of the server; None: it has no connections.
    """

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._before = frozenset(name for _, name in _sockets())
        self._known: frozenset[str] = frozenset()

    def remember(self) -> None:
        """Note the current connections: one that was reset no longer has a peer address."""
        known = set()
        for name, connection in self._mine():
            connection.close()
            known.add(name)
        self._known = frozenset(known)

    def peers(self) -> list[str]:
        """Return the addresses to which this process is connected, at any port."""
        found = set()
        for number, name in _sockets():
            if name not in self._before:
                with suppress(OSError), socket.socket(fileno=os.dup(number)) as connection:
                    if connection.family in (socket.AF_INET, socket.AF_INET6):
                        found.add(str(connection.getpeername()[0]).partition("%")[0])
        return sorted(found)

    def wake(self, hard: bool = False) -> None:
        """End blocked reads. Any thread may call it.

        Args:
            hard: even if the server keeps sending, which Linux otherwise still delivers; nothing can be sent afterwards.
        """
        for _, connection in self._mine():
            with connection, suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR if hard else socket.SHUT_RD)

    def were_reset(self) -> bool:
        """Whether a noted connection was reset, or broke, instead of being closed in an orderly way."""
        states = []
        for _, connection in self._mine():
            with connection, suppress(OSError):
                states.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0])
        return _TCP_CLOSE in states

    def keep_alive(self) -> None:
        """Let the kernel probe connections that may be silent for long, so that a dead camera is noticed within 2 minutes."""
        for _, connection in self._mine():
            with connection, suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in _KEEP_ALIVE:
                    connection.setsockopt(socket.IPPROTO_TCP, option, value)

    def _mine(self) -> Iterator[tuple[str, socket.socket]]:
        """Yield names and duplicates, which the caller closes."""
        if self._port is None:
            return
        for number, name in _sockets():
            if name in self._before:
                continue
            with suppress(OSError):  # closed meanwhile by its owner
                connection = socket.socket(fileno=os.dup(number))
                if connection.type == socket.SOCK_STREAM and (name in self._known or _peer_port(connection) == self._port):
                    yield name, connection
                else:
                    connection.close()


def _sockets() -> list[tuple[int, str]]:
    """Return numbers and names (with the inode) of this process's sockets."""
    found = []
    for entry in os.listdir(_FDS):
        with suppress(OSError):
            name = os.readlink(f"{_FDS}/{entry}")
            if name.startswith("socket:"):
                found.append((int(entry), name))
    return found


def _peer_port(connection: socket.socket) -> int | None:
    try:
        peer = connection.getpeername()
    except OSError:
        return None
    return peer[1] if isinstance(peer, tuple) else None
