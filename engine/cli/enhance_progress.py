"""How long ``facestream enhance`` takes: a bar in a terminal, and else a sentence for a large picture."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine.cli.plain import plain

_WORTH_SAYING_SECONDS = 5.0


class TileBar:
    """Says of each picture how far it is, and how long it will take.

    Args:
        console: on standard error.
    """

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._is_terminal = console.is_terminal
        self._task = self._progress.add_task("", total=None)
        self._name, self._begun = "", 0.0

    def __enter__(self) -> TileBar:
        if self._is_terminal:  # rich before 14 ends what it has not shown with an empty line
            self._progress.start()
            self._progress.update(self._task, description="loading models")
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._progress.stop()

    def begin(self, name: str) -> None:
        """A picture is begun."""
        self._name, self._begun = plain(name), time.monotonic()
        self._progress.reset(self._task, description=self._name, total=None)

    def tile_done(self, done: int, total: int) -> None:
        """So many of its tiles are done."""
        self._progress.update(self._task, completed=done, total=total)
        seconds = (time.monotonic() - self._begun) * (total - done)
        if done == 1 and not self._is_terminal and seconds > _WORTH_SAYING_SECONDS:
            sys.stderr.write(f"facestream: {self._name} takes about {seconds:.0f} s\n")
