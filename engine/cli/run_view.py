"""How ``facestream run`` is watched: a live table, progress bars, a log, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from engine.cli.run_log import RunLog
from engine.cli.run_progress import run_progress
from engine.cli.run_table import LiveTable
from engine.pipeline.status import RunStatus


@contextmanager
def run_view(console: Console, log: RunLog | None, *, live: bool) -> Iterator[Callable[[RunStatus], None]]:
    """Show a run while it goes on; yields what takes its status.

    Args:
        console: where to.
        log: given: this one alone.
        live: a source is a camera: the live table in a terminal.
    """
    if log is not None:
        yield log.show
    elif console.quiet:
        yield lambda status: None
    elif live:
        with LiveTable(console) as table:
            yield table.show
    else:
        with run_progress(console) as show:
            yield show
