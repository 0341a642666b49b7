"""How many cores there are for this process."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return the cores on which this process may run: in a container with a cpuset, or under ``taskset``, fewer than the
    machine has. More threads than these only wait for each other."""
    return len(os.sched_getaffinity(0))
