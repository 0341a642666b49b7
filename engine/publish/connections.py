"""The connections that others have made to this process, and how to end them: libzmq has no way to."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)


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
        """End it, if it is still there.

        Returns:
            False: this process has too many files open to look; it has to be cut later.
        """
        try:
            duplicate = os.dup(self.number)
        except OSError as error:
            return error.errno not in _TOO_MANY_FILES
        with suppress(OSError), socket.socket(fileno=duplicate) as connection:
            if os.fstat(duplicate).st_ino == self.inode:
                connection.shutdown(socket.SHUT_RDWR)
        return True


@contextmanager
def opened(number: int) -> Iterator[socket.socket | None]:
    """Yield what has a file number of this process, None if that is no socket.

    Raises:
        OSError: nothing has it, or too many files are open.
    """
    if not os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
        yield None
        return
    # The duplicate stays the same connection even if libzmq closes its own meanwhile.
    with socket.socket(fileno=os.dup(number)) as duplicate:
        yield duplicate


def connections_to(endpoint: str) -> Iterator[Connection]:
    """Yield the connections to a bound ``tcp`` or ``ipc`` endpoint of this process, also those that have said nothing yet.

    Raises:
        OSError: this process has too many files open to look.
    """
    for name in os.listdir("/proc/self/fd"):
        try:
            with opened(int(name)) as one:
                if one is not None and one.type == socket.SOCK_STREAM and _is_bound_to(one, endpoint):
                    one.getpeername()  # not of the socket that listens
                    yield Connection(int(name), os.fstat(one.fileno()).st_ino)
        except OSError as error:  # of a file that was closed meanwhile, or is no connection
            if error.errno in _TOO_MANY_FILES:
                raise


def under_way(endpoint: str) -> dict[Connection, int]:
    """Return how many bytes are on their way to the readers at a bound endpoint, of those that have not taken all.

    Where libzmq itself has messages for a reader, the kernel's buffer before them is not empty.

    Raises:
        OSError: this process has too many files open to look.
    """
    sizes = {}
    for connection in connections_to(endpoint):
        with suppress(OSError):  # it has ended meanwhile
            sizes[connection] = struct.unpack("i", fcntl.ioctl(connection.number, termios.TIOCOUTQ, bytes(4)))[0]
    return {connection: size for connection, size in sizes.items() if size}


def _is_bound_to(one: socket.socket, endpoint: str) -> bool:
    if one.family == socket.AF_UNIX:
        own = one.getsockname()
        if isinstance(own, bytes):  # an abstract one, which begins with a zero
            own = os.fsdecode(own).replace("\0", "@", 1)
        return endpoint.startswith("ipc://") and own == endpoint.removeprefix("ipc://")
    internet = one.family in (socket.AF_INET, socket.AF_INET6)
    return internet and endpoint.startswith("tcp://") and one.getsockname()[1] == int(endpoint.rpartition(":")[2])
