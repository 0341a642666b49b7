"""What a command takes of the processor, with all processes that it starts, wherever their parents are by then:
``python -m tests.bench.processor COMMAND …``."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_LOOK_SECONDS = 0.05
_GONE_SECONDS = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
_SET_CHILD_SUBREAPER = 36


@dataclass
class Used:
    """What a command has used."""

    exit_code: int = 0
    seconds: float = 0.0
    """By the clock."""
    processor: dict[str, float] = field(default_factory=dict)
    """Seconds of it, user and system, by name of the process; what one uses after the last look at it is not in there."""

    @property
    def total(self) -> float:
        """Of all its processes."""
        return sum(self.processor.values())


def measured(command: Sequence[str], cores: Sequence[int] = ()) -> Used:
    """Run a command to its end, and to that of all its processes.

    Args:
        command: as for ``subprocess``; what it says is dropped, but for errors.
        cores: that it may use; empty: all.
    """
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)  # what its parent has left becomes ours, and is still found
    before, seen, began = _children(os.getpid()), dict[int, tuple[str, float]](), time.monotonic()
    pinned = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=pinned)
    while process.poll() is None:
        _look(seen, before)
        time.sleep(_LOOK_SECONDS)
    seconds = time.monotonic() - began
    while _look(seen, before) and time.monotonic() - began - seconds < _GONE_SECONDS:
        for orphan in _children(os.getpid()) - before:
            with suppress(ChildProcessError):
                os.waitpid(orphan, os.WNOHANG)
        time.sleep(_LOOK_SECONDS)
    used: dict[str, float] = defaultdict(float)
    for name, processor in seen.values():
        used[name] += processor
    return Used(process.returncode, seconds, dict(used))


def _look(seen: dict[int, tuple[str, float]], besides: set[int]) -> bool:
    """Note what all below this process have used, but for those that were there before; return whether there are any."""
    todo = there = [*(_children(os.getpid()) - besides)]
    while todo:
        pid = todo.pop()
        todo = [*todo, *_children(pid)]
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            used = (int(fields[11]) + int(fields[12])) / _TICKS
            seen[pid] = seen[pid][0] if fields[0] == "Z" and pid in seen else _name(pid), used
    return bool(there)


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found |= {int(child) for child in path.read_text().split()}
    return found


def _name(pid: int) -> str:
    """Return the name of a process; of Python's that of its script or module."""
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    if not name.startswith("python"):
        return name
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[1:]
    return next((Path(word).stem for word in words if word and not word.startswith("-")), name)


def main() -> None:
    """Print what a command takes."""
    used = measured(sys.argv[1:])
    for name, processor in sorted(used.processor.items(), key=lambda one: -one[1]):
        sys.stdout.write(f"{processor:8.2f} s  {name}\n")
    sys.stdout.write(f"{used.total:8.2f} s of the processor in {used.seconds:.1f} s, exit code {used.exit_code}\n")


if __name__ == "__main__":
    main()
