"""Texts that may hold the name of a file, which need not be text."""

from __future__ import annotations

import os
import re
from pathlib import Path

_ESCAPED = re.compile(rb"\\udc([89a-f][0-9a-f])")


def readable(text: Path | str) -> str:
    """Return a path, or a sentence with one; what is not UTF-8 stands as an escape, as messages and JSON must be UTF-8."""
    return str(text).encode(errors="backslashreplace").decode()


def path_of(text: str) -> Path:
    """Return the path that ``readable`` gave, whose escapes stand for bytes where no file is called like that."""
    path = Path(text)
    if os.path.lexists(path):
        return path
    return Path(os.fsdecode(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), os.fsencode(text))))


def looked_in(path: Path) -> str:
    """Return `` in FOLDER`` for a relative path: one of a configuration too begins where the command was started."""
    try:
        return "" if path.is_absolute() else readable(f" in {Path.cwd()}")
    except FileNotFoundError:  # that folder is gone
        return ""
