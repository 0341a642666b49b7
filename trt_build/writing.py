"""Files and folders that cannot be written end in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import FacestreamError
from trt_build.errors import DataError


@contextmanager
def writable(path: Path, error: type[FacestreamError] = DataError) -> Iterator[None]:
    """Make the folder of a file that is written inside the block.

    Raises:
        error: it cannot be written, as on a full disk.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as failure:
        raise error(f"'{path}' cannot be written: {failure.strerror or failure}.") from None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        DataError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise DataError(f"The folder '{folder}' cannot be made: {failure.strerror}.") from None
