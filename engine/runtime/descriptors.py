"""How many files, pipes and sockets a process may have open at once, and what to say where that is too few."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

from engine.errors import FatalError

_OPEN_HERE = Path("/proc/self/fd")
_USUAL = 64
"""Taken for what is open here where the system does not tell."""
_SHORTAGES = (errno.EMFILE, errno.ENFILE)


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    try:
        return len(os.listdir(_OPEN_HERE))
    except OSError:
        return _USUAL


def raise_limit(wanted: int) -> int:
    """Let this process, and those that it starts from now on, have so many descriptors, or as many as the system allows it.

    Returns:
        How many it may have now; never fewer than before.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return max(wanted, _USUAL)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)


def require_descriptors(needed: int, what: str) -> None:
    """Raise the limit to what is needed.

    Args:
        needed: descriptors of one process.
        what: the thing that needs them, as ``200 cameras``.

    Raises:
        FatalError: the system does not allow so many.
    """
    allowed = raise_limit(needed)
    if allowed < needed:
        raise FatalError(
            f"{what} need {needed} open files in one process, and this system allows {allowed} (ulimit -Hn): {_how(needed)}"
        )


def shortage(error: BaseException) -> str:
    """Return what to say of an error that came from too few descriptors, empty for any other error."""
    if not isinstance(error, OSError) or error.errno not in _SHORTAGES:
        return ""
    allowed, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if error.errno == errno.ENFILE:
        return "the whole system has too many open files (fs.file-max): raise that, or end other programs"
    return f"it has {allowed} open files, as many as one process may have here: {_how(max(2 * allowed, hard))}"


def _how(needed: int) -> str:
    return (
        f"raise the limit (ulimit -n {needed} as root, LimitNOFILE={needed} in a systemd unit, --ulimit nofile={needed} for a "
        "container) or read fewer sources in one run"
    )
