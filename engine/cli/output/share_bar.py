"""Progress bars, shown only on a terminal; and one for work whose completed share is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def on_terminal(bar: Progress) -> contextlib.AbstractContextManager[Progress]:
    """Return what shows a bar while it is open, where its console is a terminal; elsewhere nothing is written: rich before 14
    writes an empty line even for a bar that is disabled."""
    return bar if bar.console.is_terminal else contextlib.nullcontext(bar)


@contextlib.contextmanager
def share_bar(words: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error, if that is a terminal, and remove it at the end; give what sets it, from 0 to 1.

    Args:
        words: plain text beside it, as the name of a file.
        quiet: show none.
    """
    console = Console(stderr=True, quiet=quiet)
    words_column, left = TextColumn("{task.description}", markup=False), TextColumn("left")
    columns = words_column, BarColumn(), TimeElapsedColumn(), left, TimeRemainingColumn()
    with on_terminal(Progress(*columns, console=console, transient=True, refresh_per_second=4)) as bar:
        task = bar.add_task(words, total=1.0)
        yield lambda share: bar.update(task, completed=share)
