"""Memory that processes share: a file without a name, all of which is there from the start, or an error says why not."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from engine.errors import WorkerError

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_ADVICE = "lower decode.pool_slots or decode.parallel_files"


def memory_file(size: int, what: str) -> int:
    """Return the descriptor of a file of so many bytes, whose size is sealed.

    Args:
        size: in bytes.
        what: it is for, for the message.

    Raises:
        WorkerError: there is not enough memory, or the system has no memory files.
    """
    # The kernel would rather kill the process than refuse memory, so ask first.
    if size > (available := available_bytes()):
        raise WorkerError(f"no memory for a frame pool of {what}: {available / 2**20:.0f} MiB are free; {_ADVICE}")
    fd = _made()
    try:
        os.posix_fallocate(fd, 0, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError as error:
        os.close(fd)
        raise WorkerError(f"no memory for a frame pool of {what}: {error.strerror}; {_ADVICE}") from error
    return fd


def require_memory_files() -> None:
    """Try whether there can be such files here.

    Raises:
        WorkerError: the system has none.
    """
    os.close(_made())


def available_bytes(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int:
    """Return the memory that can be had without swapping, in this control group too (version 2, as in containers)."""
    available = 1024 * _keyed(meminfo, "MemAvailable:")
    with contextlib.suppress(OSError, ValueError):  # no such files, or the limit is "max"
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        cached = sum(_keyed(cgroup / "memory.stat", f"{which}_file") for which in ("active", "inactive"))
        available = min(available, limit - used + cached)
    return available


def _made() -> int:
    try:
        return os.memfd_create("facestream-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise WorkerError(f"cannot create a frame pool: {error.strerror}") from error


def _keyed(path: Path, key: str) -> int:
    return next(int(words[1]) for words in map(str.split, path.read_text().splitlines()) if words[0] == key)
