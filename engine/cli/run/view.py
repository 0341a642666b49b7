"""What ``facestream run`` shows while it runs: a live table, progress bars, a log, or nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from engine.cli.run.log import RunLog
from engine.cli.run.progress import run_progress
from engine.cli.run.table import LiveTable
from engine.pipeline.status import RunStatus


@contextmanager
def run_view(console: Console, log: RunLog | None, *, live: bool) -> Iterator[Callable[[RunStatus], None]]:
    """Show a run while it goes on; yields what takes its status.

    Args:
        console: where to.
        log: given: this one alone.
        live: a source is a camera: the live table in a terminal.
    """
    with _view(console, log, live=live) as show:
        yield lambda status: _unless_it_is_gone(show, status)


def _unless_it_is_gone(show: Callable[[RunStatus], None], status: RunStatus) -> None:
    """A terminal may be closed at any moment: the run hears of it by a signal, and ends in good order."""
    try:
        show(status)
    except OSError as error:
        if error.errno != errno.EIO:
            raise


@contextmanager
def _view(console: Console, log: RunLog | None, *, live: bool) -> Iterator[Callable[[RunStatus], None]]:
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
