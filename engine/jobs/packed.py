"""A directory as one file, which is how it is kept in object storage: there whole, or not at all."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from engine.errors import PublishError


@contextmanager
def packed(directory: Path, beside: Path) -> Iterator[BinaryIO]:
    """Have the files of a directory in one, for the block.

    Args:
        directory: all below it.
        beside: folder with room for it.

    Raises:
        OSError: it cannot be read, or there is no room.
    """
    with TemporaryFile(dir=beside) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in sorted(directory.iterdir()):
                tar.add(path, path.name, filter=_nobodys)
        yield file


def unpack(file: BinaryIO, directory: Path, name: object) -> None:
    """Fill an empty directory with what was packed; nothing is written outside of it.

    Args:
        file: what ``packed`` has made.
        directory: to be filled.
        name: of the file, for people.

    Raises:
        PublishError: it is no such file, or wants to be written elsewhere.
        OSError: the directory cannot be written.
    """
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            tar.extractall(directory, filter="data")
    except tarfile.TarError as error:
        raise PublishError(f"{name} is not what this program packs ({error}): remove it, and it is made again") from error


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever unpacks it owns it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
