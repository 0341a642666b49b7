"""What the processes of a run hold: memory, descriptors, threads; read from /proc, so Linux only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Held:
    """One process at one moment."""

    rss_mb: float
    """Shared pictures count in each process that has them mapped."""
    fds: int
    threads: int


def marked(mark: str) -> Iterator[int]:
    """Yield the processes that were started with ``mark`` (``NAME=VALUE``) in their environment, orphans included."""
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
        except OSError:
            continue  # it ended meanwhile, or is another user's


def left_over(mark: str, seconds: float) -> list[str]:
    """Return the names of those processes that are still there when the time is over, or nothing as soon as none is."""
    until = time.monotonic() + seconds
    while (names := list(held(mark))) and time.monotonic() < until:
        time.sleep(0.05)
    return names


def held(mark: str) -> dict[str, Held]:
    """Return what each of those processes holds, by its name; two of one name are told apart by their number."""
    found: dict[str, Held] = {}
    for pid in sorted(marked(mark)):
        folder = PROC / str(pid)
        try:
            helper = b"resource_tracker" in (folder / "cmdline").read_bytes()
            name = "resource tracker" if helper else (folder / "comm").read_text().strip()
            pages = int((folder / "statm").read_text().split()[1])
            fds, threads = (len(os.listdir(folder / kind)) for kind in ("fd", "task"))
        except OSError:
            continue
        found[name if name not in found else f"{name} {pid}"] = Held(pages * _PAGE_BYTES / 1e6, fds, threads)
    return found


class Samples:
    """Memory over time."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, dict[str, float]]] = []
        """(monotonic seconds, MB by process)."""

    def add(self, at: float, now: dict[str, Held]) -> None:
        self.rows.append((at, {name: one.rss_mb for name, one in now.items()}))

    def slopes(self, ignored: float = 0.2) -> dict[str, float]:
        """Return MB per second of each process and of ``total``, by least squares without the first share of the time."""
        if len(self.rows) < 4:
            return {}
        first, last = self.rows[0][0], self.rows[-1][0]
        rows = [(at, mb | {"total": sum(mb.values())}) for at, mb in self.rows if at >= first + ignored * (last - first)]
        result = {}
        for name in sorted({name for _, mb in rows for name in mb}):
            points = [(at - first, mb[name]) for at, mb in rows if name in mb]
            if len(points) >= 3:
                result[name] = float(np.polyfit([at for at, _ in points], [mb for _, mb in points], 1)[0])
        return result
