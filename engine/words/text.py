"""Texts that may hold the name of a file, which need not be text."""

from __future__ import annotations

from pathlib import Path


def readable(text: Path | str) -> str:
    """Return a path, or a sentence with one; what is not UTF-8 stands as an escape, as messages and JSON must be UTF-8."""
    return str(text).encode(errors="backslashreplace").decode()


def looked_in(path: Path) -> str:
    """Return `` in FOLDER`` for a relative path: one of a configuration too begins where the command was started."""
    try:
        return "" if path.is_absolute() else readable(f" in {Path.cwd()}")
    except FileNotFoundError:  # that folder is gone
        return ""
