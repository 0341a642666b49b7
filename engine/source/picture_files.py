"""Which picture files a command line names: files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from engine.errors import UsageError
from engine.source.pictures import PICTURE_EXTENSIONS

_STILLS = PICTURE_EXTENSIONS | {".gif"}
"""What counts as a picture in a folder; a file that is named by itself may have any name."""
_MOST_BELOW = 100_000


def picture_files(paths: Sequence[Path], complain: Callable[[Path, str], None], *, below: bool = False) -> list[Path]:
    """Return the files, folders and patterns replaced by the pictures in them, by name; hidden ones are left out.

    Args:
        paths: as they were given.
        complain: called with each path behind which there is no picture, or too many, and a sentence; the others are returned.
        below: look into the folders in a folder too, up to a hundred thousand pictures; no link is followed.

    Raises:
        UsageError: there is nothing behind any of them.
    """
    found: list[Path] = []
    missing: list[tuple[Path, str]] = []
    for path in paths:
        files, sentence = _files(path, below)
        found += files
        missing += [(path, sentence)] if sentence else []
    if not found and missing:
        raise UsageError("; ".join(sentence for _, sentence in missing))
    for path, sentence in missing:
        complain(path, sentence)
    return found


def _files(path: Path, below: bool) -> tuple[list[Path], str]:
    """Return the pictures behind a path; without any, or with too many, also a sentence that says so."""
    try:
        if path.is_dir() and below:
            files = list(islice(_all_below(path), _MOST_BELOW + 1))
            if len(files) > _MOST_BELOW:
                return files[
                    :-1
                ], f"{path} holds more than {_MOST_BELOW:,} pictures: the others are left out, name their folders"
            return files, "" if files else f"the folder {path} and those in it hold no picture ({_looked_for()})"
        if path.is_dir():
            files = _pictures([file for file in path.iterdir() if not file.name.startswith(".")])
            return files, "" if files else f"the folder {path} holds no picture ({_looked_for()})"
        if path.exists():
            return [path], ""
        if glob.has_magic(str(path)):
            files = _pictures([Path(match) for match in glob.glob(str(path), recursive=True)])
            return files, "" if files else f"{path} matches no picture ({_looked_for()})"
        path.stat()  # which says why it is not there
    except OSError as error:
        return [], f"{path} cannot be read ({error.strerror}): check the path"
    return [path], ""


def _all_below(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for at, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from _pictures([Path(at, name) for name in names if not name.startswith(".")])


def _pictures(candidates: Sequence[Path]) -> list[Path]:
    return sorted(file for file in candidates if file.suffix.lower() in _STILLS and file.is_file())


def _looked_for() -> str:
    return f"looked for {', '.join(sorted(_STILLS))}"
