"""Files below a directory that somebody else may have filled: no symbolic link in it is ever followed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from engine.archive.expiry import punch
from engine.archive.vector_files import row_bytes


@dataclass
class Destroyed:
    """What went, and what could not be reached."""

    pictures: int = 0
    vectors: int = 0
    bytes: int = 0
    refused: set[str] = field(default_factory=set)
    """Names that lead out of the directory, or over a symbolic link: not touched."""
    linked: set[str] = field(default_factory=set)
    """Files that had another hard link: their bytes are still there under another name."""


class Folder:
    """A directory and what is below it.

    Args:
        path: itself may be a link; what is in it may not.

    Raises:
        OSError: it is not a directory, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def is_file(self, name: str) -> bool:
        """Whether there is an ordinary file of this name, and no link."""
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def is_link(self, name: str) -> bool:
        """Whether there is a symbolic link of this name."""
        try:
            return stat.S_ISLNK(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def remove(self, name: str, gone: Destroyed) -> None:
        """Delete one file below the directory, of a link the link.

        Args:
            name: relative, with ``/``; one that leads elsewhere is refused.
            gone: is told what became of it.

        Raises:
            OSError: it cannot be deleted.
        """
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\0" in name:
            gone.refused.add(name)
            return
        with self._parent(parts[:-1]) as parent:
            if parent is None:
                if os.path.lexists(self.path / name):
                    gone.refused.add(name)
                return
            _unlink(parts[-1], parent, name, gone)

    def empty(self, name: str, gone: Destroyed) -> None:
        """Delete the files of a folder below the directory, and the folder where nothing else is in it.

        Raises:
            OSError: one cannot be deleted.
        """
        parts = PurePosixPath(name).parts
        if ".." in parts or "\0" in name:
            gone.refused.add(name)
            return
        with self._parent(parts) as folder:
            if folder is None:
                if os.path.lexists(self.path / name):
                    gone.refused.add(name)
                return
            for inside in sorted(os.listdir(folder)):
                if not stat.S_ISDIR(os.stat(inside, dir_fd=folder, follow_symlinks=False).st_mode):
                    _unlink(inside, folder, f"{name}/{inside}", gone)
        with self._parent(parts[:-1]) as parent, contextlib.suppress(OSError):  # not empty
            os.rmdir(parts[-1], dir_fd=parent)

    def clear_rows(self, file: str, rows: set[int], gone: Destroyed) -> None:
        """Overwrite rows of a file of vectors with zeros, and give back the room of whole blocks.

        Args:
            file: ``embeddings_<length>.f32`` in the directory itself; anything else is refused.
            rows: from 0; those that the file does not have are passed over.
            gone: is told how many.

        Raises:
            OSError: it cannot be written.
        """
        if not (length := row_bytes(file)) or self.is_link(file):
            gone.refused.add(file)
            return
        if not self.is_file(file):
            return
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._descriptor)
        try:
            status = os.fstat(descriptor)
            for first, behind in _spans(row for row in rows if row >= 0 and (row + 1) * length <= status.st_size):
                _clear(descriptor, first * length, behind * length)
                gone.vectors += behind - first
                gone.bytes += (behind - first) * length
            if status.st_nlink > 1:
                gone.linked.add(file)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _parent(self, parts: tuple[str, ...]) -> Iterator[int | None]:
        """Open a folder step by step; None where it is not there, or a step is a link."""
        with contextlib.ExitStack() as opened:
            at = self._descriptor
            for part in parts:
                try:
                    at = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
                except OSError:
                    yield None
                    return
                opened.callback(os.close, at)
            yield at


def _unlink(name: str, parent: int, whole_name: str, gone: Destroyed) -> None:
    try:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError:  # no name of a file, as one that is too long
        gone.refused.add(whole_name)
        return
    if stat.S_ISDIR(status.st_mode):
        gone.refused.add(whole_name)
        return
    if stat.S_ISLNK(status.st_mode):
        gone.refused.add(whole_name)  # the link goes, where it leads nothing does
    else:
        gone.pictures += 1
        gone.bytes += status.st_size
        if status.st_nlink > 1:
            gone.linked.add(whole_name)
    os.unlink(name, dir_fd=parent)


def _clear(descriptor: int, start: int, end: int) -> None:
    try:
        punch(descriptor, start, end - start)
    except OSError:  # no holes here
        at = start
        while at < end:
            at += os.pwrite(descriptor, bytes(min(end - at, 1 << 20)), at)


def _spans(rows: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Yield runs of neighbours as (first, behind the last)."""
    first = behind = -1
    for row in sorted(rows):
        if row != behind:
            if behind > first:
                yield first, behind
            first = row
        behind = row + 1
    if behind > first:
        yield first, behind
