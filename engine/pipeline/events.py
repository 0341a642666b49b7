"""What has happened in a run, for a log: the newest events, each with its number, and nothing that is said without end."""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.contracts.orders import Warned

Level = Literal["info", "warning", "error"]
_KEPT = 1000
_SAME_SECONDS = 5.0
"""What several workers say at the same time is one warning."""
_MOST_LINES, _TEXT_SECONDS = 50, 10.0
"""So many lines of what one worker prints are kept in so many seconds."""


@dataclass(frozen=True)
class RunEvent:
    """Something that happened, for a log."""

    number: int
    """Counts from 1 within a run."""
    time_ns: int
    """Wall clock (Unix, nanoseconds)."""
    level: Level
    name: str
    """``stream``, ``warning``, ``worker_died``, ``worker_restarted``, ``worker_output`` or ``overload``."""
    fields: dict[str, str | int]
    """``stream``, ``state``, ``reason``, ``detail``, ``width_px``, ``height_px``, ``worker``, ``restarts``, ``pid``,
    ``overload_level``: those that apply."""


class RunEvents:
    """The newest events of a run, oldest first."""

    def __init__(self) -> None:
        self._kept = deque[RunEvent](maxlen=_KEPT)
        self._seen = 0
        self._warned: dict[Warned, float] = {}
        self._printed: dict[str, tuple[float, int]] = {}

    def __iter__(self) -> Iterator[RunEvent]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def after(self, number: int) -> list[RunEvent]:
        """Return the events that came after the one of this number, as far as they are kept."""
        return [event for event in self._kept if event.number > number]

    def copy(self) -> RunEvents:
        """Return what later news leaves as it is, for another thread."""
        taken = copy.copy(self)
        taken._kept = self._kept.copy()
        return taken

    def add(self, level: Level, name: str, **fields: str | int) -> None:
        """Keep an event without the fields that are empty; a level of 0 says something."""
        self._seen += 1
        told = {key: value for key, value in fields.items() if value or key == "overload_level"}
        self._kept.append(RunEvent(self._seen, time.time_ns(), level, name, told))

    def take_warning(self, warning: Warned) -> None:
        """Remember that something goes wrong which ends nothing."""
        now = time.monotonic()
        if now - self._warned.get(warning, -_SAME_SECONDS) >= _SAME_SECONDS:
            self.add("warning", "warning", stream=warning.stream, detail=warning.detail)
        self._warned = {one: when for one, when in self._warned.items() if now - when < _SAME_SECONDS} | {warning: now}

    def take_text(self, worker: str, *lines: str) -> None:
        """Remember what a worker, or a library in it, printed; of one that prints without end the first lines alone."""
        for line in lines:
            now = time.monotonic()
            since, count = self._printed.get(worker, (now, 0))
            if now - since >= _TEXT_SECONDS:
                since, count = now, 0
            self._printed[worker] = (since, count + 1)
            if count < _MOST_LINES:
                self.add("warning", "worker_output", worker=worker, detail=line)
            elif count == _MOST_LINES:
                self.add("warning", "worker_output", worker=worker, detail=f"(more follows; left out for {_TEXT_SECONDS:g} s)")

    def forget_text(self, worker: str) -> None:
        """Nobody will print under this name."""
        self._printed.pop(worker, None)
