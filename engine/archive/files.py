"""Append-only files in which a kill or a full disk leaves nothing half-written, and how they are read back after a kill."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from engine.private_file import private_opener
from engine.whole_file import rewriting

FACES = "faces"
"""The folder of pictures in an output directory."""


def track_folder(stream: str, track_id: int) -> str:
    """Return the folder of a track's pictures, relative to the output directory; a stream may be called ``..``, its folder may
    not."""
    return f"{FACES}/{stream if stream.strip('.') else '_' + stream}/{track_id}"


class Appended:
    """A file that grows by whole pieces; each is in the hands of the system when ``append`` returns.

    Args:
        path: of the file.
        note: is given each piece that was written, and where it ends.
    """

    def __init__(self, path: Path, note: Callable[[bytes | memoryview, int], None] | None = None) -> None:
        self._note = note
        self._file = FileIO(path, "ab", opener=private_opener)
        self._end = self._synced = self._file.tell()

    @property
    def size_bytes(self) -> int:
        """Where the next piece will start."""
        return self._end

    def append(self, piece: bytes | memoryview) -> int:
        """Write a piece and return where it starts; if it does not fit, the file stays as it was.

        Raises:
            OSError: it could not be written.
        """
        start, rest = self._end, memoryview(piece)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise
        self._end = start + len(piece)
        if self._note is not None:
            self._note(piece, self._end)
        return start

    def sync(self) -> None:
        """Wait until everything that was appended would survive a power cut.

        Raises:
            OSError: it could not be written.
        """
        if self._synced != self._end:
            os.fsync(self._file.fileno())
            self._synced = self._end

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class AppendedFiles:
    """The growing files of a directory, opened when they are first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, Appended] = {}
        self.note: Callable[[str, bytes | memoryview, int], None] | None = None
        """Is given the name of a file, each piece that is appended to it, and where that ends; set it before the first one."""

    def __getitem__(self, name: str) -> Appended:
        if name not in self._files:
            note = partial(self.note, name) if self.note is not None else None
            self._files[name] = Appended(self._directory / name, note)
        return self._files[name]

    def sync(self) -> None:
        """Wait until everything that was appended would survive a power cut.

        Raises:
            OSError: it could not be written.
        """
        for file in self._files.values():
            file.sync()

    def close(self) -> None:
        """Close all of them."""
        for file in self._files.values():
            file.close()
        self._files.clear()


class Stored(NamedTuple):
    """A file that is there already, and nobody changes: it need not be written again."""

    path: Path


def write_new(path: Path, content: bytes | memoryview | Stored) -> int:
    """Write a file, or leave none; return how many bytes it has.

    Raises:
        OSError: it could not be written.
    """
    try:
        if not isinstance(content, Stored):
            with open(path, "wb", opener=private_opener) as file:
                return file.write(content)
        try:
            path.hardlink_to(content.path)
        except OSError:  # on another disk, or one that has no second names
            with content.path.open("rb") as stored, open(path, "wb", opener=private_opener) as file:
                shutil.copyfileobj(stored, file)
        return path.stat().st_size
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def keep_lines(path: Path, keep: Callable[[bytes], bool]) -> int:
    """Replace a file by those of its whole lines that ``keep`` wants, in one step; return how many bytes went.

    A file that is not there counts as an empty one.

    Raises:
        OSError: it could not be read or written; the old one is still there.
    """
    if not path.exists():
        return 0
    before, after = path.stat().st_size, sum(len(line) for line in whole_lines(path) if keep(line))
    if after < before:
        with rewriting(path) as file:
            file.writelines(line for line in whole_lines(path) if keep(line))
    return before - after


def cut_torn_line(path: Path) -> None:
    """Cut off what follows the last line break; a file that is not there stays so.

    Raises:
        OSError: the file cannot be read or written.
    """
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        start, block = end, b""
        while start and b"\n" not in block:
            start = max(0, start - (1 << 16))
            file.seek(start)
            block = file.read(1 << 16)
        whole = start + block.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)


def inside(directory: Path, name: str) -> Path | None:
    """Return the file that a line of a run names; None where the name leads out of the directory, or over a symbolic link, or
    cannot be that of a file: it holds a NUL or half a character, or is too long."""
    base = directory.resolve()
    path = base / name
    try:
        goes_straight = ".." not in path.parts and base in path.parents and path.resolve() == path
        if goes_straight:
            path.lstat()
    except (FileNotFoundError, NotADirectoryError):  # it has expired, and may be written yet
        return path
    except (ValueError, OSError, RuntimeError):  # the last one: a circle of links
        return None
    return path if goes_straight else None


def torn_line(path: Path) -> bytes:
    """Return what follows the last line break, at most 16 MiB of it.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start, tail = file.seek(0, os.SEEK_END), b""
        while start and b"\n" not in tail and len(tail) < 1 << 24:
            step = min(1 << 16, start)
            start = file.seek(start - step)
            tail = file.read(step) + tail
    return tail.rpartition(b"\n")[2].lstrip(b"\0")


def whole_lines(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield the lines that end with a line break, from ``offset`` on; none if there is no file. A hole at the beginning, see
    ``expiry``, is no line.

    Raises:
        OSError: the file cannot be read.
    """
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(offset, first_data(path)))
        for line in file:
            if line.endswith(b"\n"):  # else the run was killed while it wrote this one
                yield line


def first_data(path: Path) -> int:
    """Return where the first line is that is not of a hole; the length of a file that has none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            start = os.lseek(file.fileno(), 0, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return file.seek(0, os.SEEK_END)
            raise
        end = file.seek(start)
        while block := file.read(1 << 12):  # a hole ends where a line begins, its last block is zeros up to there
            if text := block.lstrip(b"\0"):
                return end + len(block) - len(text) if text.startswith(b"{") else start
            end += len(block)
        return end
