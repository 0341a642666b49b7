"""What commands that write one file have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.errors import UsageError

OverwriteOption = Annotated[bool, Parameter(negative=(), help="Replace a file that is there.")]


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unasked, or to write where there is no folder.

    Raises:
        UsageError: it is there, or its folder is not.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give a file")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already: choose another name with --out, or replace it with --overwrite")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[float], None]]:
    """Show on standard error how far something is, with an estimate; yields what takes the share that is done, 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, refresh_per_second=4, disable=not console.is_terminal) as progress:
        bar = progress.add_task(words, total=1.0)
        yield lambda share: progress.update(bar, completed=share)
