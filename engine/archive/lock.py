"""One writer for each output directory."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from engine.errors import PublishError

WAIT_SECONDS = 3.0
"""The last process of a killed run may need a moment to be gone."""
_POLL_SECONDS = 0.05


class DirectoryLock:
    """Held from construction to ``close``, or to the end of the process, however that comes."""

    def __init__(self, directory: Path, wait_seconds: float | None = None) -> None:
        """Lock a directory.

        Raises:
            PublishError: another process holds it for longer than ``wait_seconds``, which is ``WAIT_SECONDS`` by default.
            OSError: the directory cannot be opened.
        """
        self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        deadline = time.monotonic() + (WAIT_SECONDS if wait_seconds is None else wait_seconds)
        while not self._try():
            if time.monotonic() > deadline:
                self.close()
                raise PublishError(f"another run is writing to {directory} now: wait for its end, or choose another directory")
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Let others in. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            # Some network file systems cannot lock directories: then nobody is kept out.
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL):
                raise
        return True
