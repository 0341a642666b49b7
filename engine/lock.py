"""Locks between processes: one writer for each directory, and at any moment one for a file that several add to."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.errors import PublishError
from engine.private_file import private_opener

WAIT_SECONDS = 3.0
"""The last process of a killed run may need a moment to be gone."""
_POLL_SECONDS = 0.01


class DirectoryLock:
    """Held from construction to ``close``, or to the end of the process, however that comes."""

    def __init__(self, directory: Path, wait_seconds: float | None = None) -> None:
        """Lock a directory.

        Raises:
            PublishError: another process holds it for longer than ``wait_seconds``, which is ``WAIT_SECONDS`` by default.
            OSError: the directory cannot be opened.
        """
        self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if not _becomes(lambda: _try(self._fd), wait_seconds):
            self.close()
            raise PublishError(f"another run is writing to {directory} now: wait for it to end, or choose another directory")

    def close(self) -> None:
        """Let others in. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextlib.contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep others who come with this, too, from a file that is added to or replaced meanwhile; it is made where there is none.
    A run that goes on in the same directory does not stand in the way.

    Raises:
        PublishError: another process is there for longer than ``WAIT_SECONDS``.
        OSError: the file cannot be opened; a link is not followed.
    """
    with contextlib.ExitStack() as held:

        def is_ours() -> bool:
            held.close()
            descriptor = private_opener(str(path), os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            return _try(descriptor) and is_at(path, descriptor)  # what was replaced while we waited is another file

        if not _becomes(is_ours):
            raise PublishError(f"somebody else is writing to {path} now: try again in a moment")
        yield


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, in the place of the lock that there is, unless another process has one; return whether it is locked.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_within(descriptor: int, seconds: float) -> bool:
    """Lock an open file as soon as no other process has; return whether it is locked. See ``try_lock``."""
    return _becomes(lambda: try_lock(descriptor), seconds)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still what lies at a path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _becomes(is_so: Callable[[], bool], wait_seconds: float | None = None) -> bool:
    deadline = time.monotonic() + (WAIT_SECONDS if wait_seconds is None else wait_seconds)
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _try(descriptor: int) -> bool:
    try:
        return try_lock(descriptor)
    except OSError as error:
        # Some network file systems cannot lock this: then nobody is kept out.
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL):
            raise
    return True
