"""Which picture files a command line names: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import UsageError
from engine.source.pictures import PICTURE_EXTENSIONS

_STILLS = PICTURE_EXTENSIONS | {".gif"}
"""What counts as a picture in a folder; a file that is named by itself may have any name."""


def picture_files(paths: Sequence[Path], complain: Callable[[Path, str], None]) -> list[Path]:
    """Return the files, folders and patterns replaced by the pictures in them, by name; hidden ones are left out.

    Args:
        paths: as they were given.
        complain: called with each path behind which there is no picture, and a sentence; the others are returned.

    Raises:
        UsageError: there is nothing behind any of them.
    """
    found: list[Path] = []
    missing: list[tuple[Path, str]] = []
    for path in paths:
        files, sentence = _files(path)
        found += files
        missing += [(path, sentence)] if sentence else []
    if not found and missing:
        raise UsageError("; ".join(sentence for _, sentence in missing))
    for path, sentence in missing:
        complain(path, sentence)
    return found


def _files(path: Path) -> tuple[list[Path], str]:
    """Return the pictures behind a path; without any, also a sentence that says so."""
    try:
        if path.is_dir():
            files = _pictures([file for file in path.iterdir() if not file.name.startswith(".")])
            return files, "" if files else f"the folder {path} holds no picture ({_looked_for()})"
        if path.exists():
            return [path], ""
        if glob.has_magic(str(path)):
            files = _pictures([Path(match) for match in glob.glob(str(path), recursive=True)])
            return files, "" if files else f"{path} matches no picture ({_looked_for()})"
    except OSError as error:
        return [], f"{path} cannot be read ({error.strerror}): check the path"
    return [], f"{path} cannot be read (No such file or directory): check the path"


def _pictures(candidates: Sequence[Path]) -> list[Path]:
    return sorted(file for file in candidates if file.suffix.lower() in _STILLS and file.is_file())


def _looked_for() -> str:
    return f"looked for {', '.join(sorted(_STILLS))}"
