"""One bar for work of which the share that is done is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextlib.contextmanager
def share_bar(words: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error, if that is a terminal, and remove it at the end; give what sets it, from 0 to 1."""
    console = Console(stderr=True, quiet=quiet)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=1.0)
        yield lambda share: bar.update(task, completed=share)
