"""Progress of ``facestream enhance``: a bar in a terminal; otherwise a sentence for a large picture."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine.cli.output.plain import plain
from engine.cli.output.share_bar import on_terminal

_WORTH_SAYING_SECONDS = 5.0


class TileBar:
    """Says of each picture how far it is, and how long it will take.

    Args:
        console: on standard error.
    """

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=console, transient=True)
        self._shown = on_terminal(self._progress)
        self._is_terminal = console.is_terminal
        self._task = self._progress.add_task("", total=None)
        self._name, self._begun = "", 0.0

    def __enter__(self) -> TileBar:
        self._shown.__enter__()
        self._progress.update(self._task, description="loading models")
        return self

    def __exit__(self, *error: Any) -> None:
        self._shown.__exit__(*error)

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
