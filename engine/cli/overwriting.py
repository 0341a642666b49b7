"""What a command writes takes the place of nothing that is there, unless it is told to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from engine.errors import UsageError

OverwriteOption = Annotated[bool, Parameter(negative=(), help="Replace what is there already.")]


def check_new(paths: Iterable[Path | None], *, overwrite: bool) -> None:
    """Refuse to write over files and folders; devices, as ``/dev/stdout``, are written.

    Args:
        paths: that are to be written; None: none.
        overwrite: whether they may be there.

    Raises:
        UsageError: one is there, and may not be.
    """
    there = [path for path in paths if path is not None and (path.is_file() or path.is_dir())]
    if there and not overwrite:
        others = f", and {len(there) - 1} more," if len(there) > 1 else ""
        are = "are" if len(there) > 1 else "is"
        raise UsageError(f"{there[0]}{others} {are} there already: choose another name, or add --overwrite to replace it")
