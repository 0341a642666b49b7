"""Files and folders that cannot be written end in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import FacestreamError
from trt_build.errors import DataError


@contextmanager
def writable(path: Path, error: type[FacestreamError] = DataError) -> Iterator[None]:
    """Create the folder of a file that is written within the block.

    Raises:
        error: it cannot be written, for instance because the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise error(f"'{path}' cannot be written: {_unmade(path.parent, failure)}.") from None
    try:
        yield
    except OSError as failure:
        raise error(f"'{path}' cannot be written: {failure.strerror or failure}.") from None


def make_folder(folder: Path) -> None:
    """Create a folder and its parents.

    Raises:
        DataError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise DataError(f"The folder '{folder}' cannot be made: {_unmade(folder, failure)}.") from None


def _unmade(folder: Path, failure: OSError) -> str:
    """Return why a folder could not be created. Of a file in its place the system only says that it exists."""
    return f"{folder} is not a folder" if isinstance(failure, FileExistsError) else failure.strerror or str(failure)
