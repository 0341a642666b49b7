"""A deadline until which something may go on, in a file that processes of one machine share: reading it asks nobody and cannot
hang.

The clock is ``CLOCK_BOOTTIME``, which all processes share and which goes on while the machine sleeps.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

from engine.runtime.closing import Closing

_MOMENT, _BOOT = struct.Struct("<q"), struct.Struct("36s")
_BYTES = _MOMENT.size + _BOOT.size
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now_seconds() -> float:
    """Return the moment on the clock of permits."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Permit(Closing):
    """The file, from construction to ``close``.

    Args:
        path: made where it does not exist, if ``writes``.
        writes: this is the one process that says until when.

    Raises:
        OSError: it cannot be opened, or is no such file.
    """

    def __init__(self, path: Path, *, writes: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT if writes else os.O_RDONLY
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if writes and os.fstat(descriptor).st_size != _BYTES:
                os.ftruncate(descriptor, _BYTES)
            if os.fstat(descriptor).st_size != _BYTES:
                raise OSError(f"{path} is not a permit")
            self._memory = mmap.mmap(descriptor, _BYTES, access=mmap.ACCESS_WRITE if writes else mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
        boot = _BOOT_ID.read_bytes().strip()
        if writes and self._memory[_MOMENT.size :] != _BOOT.pack(boot):
            _MOMENT.pack_into(self._memory, 0, 0)  # it is of before the machine was started
            _BOOT.pack_into(self._memory, _MOMENT.size, boot)

    @property
    def until(self) -> float:
        """Seconds, as ``now_seconds``."""
        return float(_MOMENT.unpack_from(self._memory)[0]) / 1e9

    @until.setter
    def until(self, seconds: float) -> None:
        _MOMENT.pack_into(self._memory, 0, int(seconds * 1e9))

    @property
    def is_good(self) -> bool:
        """Whether it may still go on."""
        return now_seconds() < self.until

    def close(self) -> None:
        self._memory.close()
