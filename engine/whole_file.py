"""A file that is whole or not there, whatever happens while it is written."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from engine.private_file import make_private

_BESIDE = "unfinished-"
"""What the names begin with, behind a dot, of files that are about to replace others."""
_SHARED_BYTES = 200
"""Of a name that both have: a name has 255 at most, and what stands before it needs room."""
_CONTINUED = bytes(range(0x80, 0xC0))
"""Of UTF-8, what no character begins with."""
_DESCRIPTORS = re.compile(r"/proc/([0-9]+)(?:/task/[0-9]+)?/fd")
"""The folder in which a process finds what it has open: ``/dev/stdout`` and ``/dev/fd/3`` lead there."""
_MOST_LINKS = 40
"""As the kernel follows."""
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
"""Says a file system that has none, as those of memory sticks."""


def left_by_a_kill(path: Path) -> list[Path]:
    """Return the files that were to replace one while processes were killed: nobody may be writing it now."""
    return sorted(path.parent.glob(f".{_BESIDE}*.{glob.escape(_end_of(path.name))}"))


def sync_directory(directory: Path) -> None:
    """Wait until the directory's entries would survive a power cut.

    Raises:
        OSError: they could not be written.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_no_link(path: Path) -> bytes:
    """Return what a file holds; a symbolic link is refused, as whoever can place one chooses what is read.

    Raises:
        OSError: it cannot be read, or is a link.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()


def write_whole(path: Path, content: bytes, *, new: bool = False) -> None:
    """Replace a file so that at every moment either the old or the new one is there, also after a power cut.

    Raises:
        FileExistsError: there is one, and it is to be ``new``.
        OSError: it could not be written; the old one is still there.
    """
    write_pieces(path, [content], new=new)


def write_pieces(path: Path, pieces: Iterable[bytes], *, new: bool = False) -> None:
    """Do the same with one piece after the other.

    Raises:
        FileExistsError: there is one, and it is to be ``new``.
        OSError: it could not be written; the old one is still there.
    """
    with rewriting(path, new=new) as file:
        file.writelines(pieces)


def write_private(path: Path, content: bytes, *, new: bool = False) -> None:
    """Replace a file by one for its owner alone: the old or the new one is there at every moment, also after a power cut.

    Raises:
        FileExistsError: there is one, and it is to be ``new``.
        OSError: it could not be written; the old one is still there.
    """
    with rewriting(path, new=new) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
    if not is_written_into(path):
        sync_directory(path.parent)


def place_new(made: Path, path: Path) -> None:
    """Give a file that is whole the name by which others know it. Unlike a rename it replaces nothing; where there are no
    links a kill can leave an empty one.

    Raises:
        FileExistsError: something has it by now.
        OSError: it could not be given it.
    """
    try:
        os.link(made, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        made.replace(path)
    else:
        made.unlink()


@contextmanager
def replacing(path: Path, beside: Path | None = None, *, public: bool = False, new: bool = False) -> Iterator[Path]:
    """Give a file to write in the place of another one; it takes that one's place at the end of the block, all at once.

    Where the block fails, what was there stays as it was, and nothing else is left. Who may read what was there may read what
    takes its place; a new file is private (``private_file``). Nothing takes the place of what ``is_written_into``: it gets
    the file's bytes when that is whole.

    Args:
        path: in a folder that exists.
        beside: the file to write, in the same folder; by default one of the same ending that nobody else writes.
        public: the file shows nobody, as a model: the umask alone says who may read it.
        new: it takes the place of nothing: what has come there meanwhile stays.

    Raises:
        FileExistsError: something is there that may not be.
        OSError: it cannot take its place.
    """
    if is_written_into(path):
        with TemporaryDirectory(prefix="facestream-") as folder:
            make_private(made := Path(folder, path.name))
            yield made
            with made.open("rb") as file, _opened(path) as into:
                shutil.copyfileobj(file, into)
        return
    unfinished = beside or path.with_name(f".{_BESIDE}{os.getpid()}-{threading.get_ident()}.{_end_of(path.name)}")
    try:
        if not public:
            make_private(unfinished)
            if not new:
                with suppress(FileNotFoundError):
                    unfinished.chmod(stat.S_IMODE(path.stat().st_mode))
        yield unfinished
        if new:
            place_new(unfinished, path)
        else:
            unfinished.replace(path)
    except BaseException:
        with suppress(OSError):  # the failure before is the one to tell
            unfinished.unlink()
        raise


def is_written_into(path: Path) -> bool:
    """Return whether a path is a device or a pipe, or stands for what this process has open already, as ``/dev/stdout``: of a
    file that the shell has opened (``>> log``) the shell said whether it is replaced or continued."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or _descriptor_of(path) is not None


def _opened(path: Path) -> BinaryIO:
    """Open what is written into. Nothing is made or emptied; what is open already goes on where it is."""
    if (descriptor := _descriptor_of(path)) is not None:
        return os.fdopen(os.dup(descriptor), "wb")
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC), "wb")


def _descriptor_of(path: Path) -> int | None:
    """Return for which descriptor of this process a path stands, None where it is a path like others."""
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(path.parent)
        process = _DESCRIPTORS.fullmatch(folder)
        if process and int(process[1]) == os.getpid() and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(folder, path.readlink())
    return None


def _end_of(name: str) -> str:
    """Return the end of a name, which tells what kind of file it is; all of it where there is room for more."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _SHARED_BYTES else os.fsdecode(encoded[-_SHARED_BYTES:].lstrip(_CONTINUED))


@contextmanager
def rewriting(path: Path, *, new: bool = False) -> Iterator[BinaryIO]:
    """Give an open file to write in the place of another one, see ``replacing``: all of it is on the disk before it takes that
    one's place.

    Raises:
        FileExistsError: there is one, and it is to be ``new``.
        OSError: it cannot take its place.
    """
    with replacing(path, new=new) as beside, beside.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
