"""The connections that others have made to this process, and how to end them: libzmq has no way to."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple


class Connection(NamedTuple):
    """A connection as the kernel knows it: a number may soon be another's, a number with its inode not."""

    number: int
    inode: int

    @classmethod
    def of(cls, number: int) -> Connection | None:
        """Return what has this file number now, None if nothing has."""
        try:
            return cls(number, os.fstat(number).st_ino)
        except OSError:
            return None

    @property
    def is_open(self) -> bool:
        return Connection.of(self.number) == self

    def cut(self) -> bool:
        """End it, if it is still there; return whether it was."""
        with suppress(OSError):
            duplicate = os.dup(self.number)
            if os.fstat(duplicate).st_ino != self.inode:
                os.close(duplicate)
                return False
            with socket.socket(fileno=duplicate) as opened:
                opened.shutdown(socket.SHUT_RDWR)
                return True
        return False


def connections_to(endpoint: str) -> Iterator[Connection]:
    """Yield the connections to a bound ``tcp`` or ``ipc`` endpoint of this process, also those that have said nothing yet."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as opened:
                if opened.type == socket.SOCK_STREAM and _is_bound_to(opened, endpoint):
                    opened.getpeername()  # not of the socket that listens
                    yield Connection(int(name), os.fstat(opened.fileno()).st_ino)


def _is_bound_to(opened: socket.socket, endpoint: str) -> bool:
    if opened.family == socket.AF_UNIX:
        own = opened.getsockname()
        return endpoint.startswith("ipc://") and own == endpoint.removeprefix("ipc://")
    internet = opened.family in (socket.AF_INET, socket.AF_INET6)
    return internet and endpoint.startswith("tcp://") and opened.getsockname()[1] == int(endpoint.rpartition(":")[2])
