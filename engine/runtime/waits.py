"""How long a process waited for a core: on a busy machine one that is only slow says as little as one that hangs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_NANOSECONDS = 1e-9


def waits_of(pid: int) -> dict[int, float]:
    """Return for each thread of a process how many seconds it was ready to run and had no core; empty where nobody says.

    The second figure of ``schedstat``, see the kernel's ``Documentation/scheduler/sched-stats.rst``.
    """
    waits = {}
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError, ValueError):  # the thread has ended
            waits[int(thread.parent.name)] = int(thread.read_text().split()[1]) * _NANOSECONDS
    return waits
