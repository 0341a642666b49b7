"""What the system knows of processes: whether one lives, what it has open, and whom it must not outlive."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def lives(process: int) -> bool:
    """Whether it has not ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def open_files(process: int | str = "self") -> Counter[str]:
    """Return how often it has each thing open: files by their path, sockets and pipes by their number.

    What ``open_files() - before`` holds was opened since, whatever other tests have closed meanwhile; a count of descriptors
    would tell that, too.
    """
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile, as what this looks through itself
            found[os.readlink(entry)] += 1
    return found


def bound(command: Sequence[str]) -> list[str]:
    """Return a command whose process is killed when the one that starts it is gone, however that ends.

    For what goes on for ever: a test that takes too long ends its process, and nobody closes what it has started.
    """
    tool = shutil.which("setpriv")
    return [*((tool, "--pdeathsig", "SIGKILL", "--") if tool else ()), *command]
