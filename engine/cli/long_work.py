"""What commands that write one file after long work have in common."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.cli.overwriting import check_new
from engine.errors import UsageError


def check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that cannot be written, before the work begins.

    Raises:
        UsageError: it is there, and may not be replaced; it is a folder; or its folder is not there.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give a file")
    check_new([path], overwrite=overwrite)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")


@contextmanager
def ends_cleanly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that no half-written file, and no pictures of faces, are left."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[float], None]]:
    """Show on standard error how far something is, with an estimate; yields what takes the share that is done, 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    console = Console(stderr=True)
    shown = Progress(*columns, console=console, transient=True, refresh_per_second=4, disable=not console.is_terminal)
    with ends_cleanly(), shown as progress:
        bar = progress.add_task(words, total=1.0)
        yield lambda share: progress.update(bar, completed=share)
