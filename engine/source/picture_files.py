"""Which picture files a command line names: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UsageError
from engine.source.pictures import PICTURE_EXTENSIONS

_STILLS = PICTURE_EXTENSIONS | {".gif"}
"""What counts as a picture in a folder; a file that is named by itself may have any name."""


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files, folders and patterns replaced by the pictures in them, by name; hidden ones are left out.

    A path that does not exist stays as it is: whoever reads it says so, and reads the others.

    Raises:
        UsageError: a folder holds no picture, or a pattern matches none.
    """
    return [file for path in paths for file in _files(path)]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return _some(f"the folder {path} holds", [file for file in path.iterdir() if not file.name.startswith(".")])
    if not path.exists() and glob.has_magic(str(path)):
        return _some(f"{path} matches", [Path(match) for match in glob.glob(str(path), recursive=True)])
    return [path]


def _some(where: str, candidates: Sequence[Path]) -> list[Path]:
    files = sorted(file for file in candidates if file.suffix.lower() in _STILLS and file.is_file())
    if not files:
        raise UsageError(f"{where} no picture (looked for {', '.join(sorted(_STILLS))})")
    return files
