"""The option ``--overwrite``: without it, commands replace no existing file."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from engine.errors import OutputError, UsageError
from engine.private_file import make_private_folder
from engine.whole_file import is_written_into, replacing

OTHER_FOLDER = "choose another folder with --out"
OverwriteOption = Annotated[bool, Parameter(negative=(), help="Replace existing files.")]


def check_new(paths: Iterable[Path | None], *, overwrite: bool, instead: str = "choose another name") -> None:
    """Refuse to write over files and folders; devices and pipes, as ``/dev/stdout``, are written.

    Args:
        paths: that are to be written; None: none.
        overwrite: whether they may be there.
        instead: what else may be done.

    Raises:
        UsageError: one is there, and may not be.
    """
    there = [path for path in paths if path is not None and path.exists() and not is_written_into(path)]
    if there and not overwrite:
        others = f", and {len(there) - 1} more," if len(there) > 1 else ""
        are = "are" if len(there) > 1 else "is"
        raise UsageError(f"{there[0]}{others} {are} there already: {instead}, or add --overwrite to replace it")


def write_result(path: Path, content: bytes) -> None:
    """Write a file of the folder ``--out``, which is made where it is missing; it is there as a whole or not at all.

    Raises:
        OutputError: the disk is full.
        UsageError: it cannot be written for another reason, which others may not have.
    """
    try:
        make_private_folder(path.parent)
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        kind = OutputError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
        raise kind(f"cannot write {path}: {error.strerror}: {OTHER_FOLDER}") from error
