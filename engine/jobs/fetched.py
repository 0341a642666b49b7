"""Objects as files of this machine: fetched by the task that needs one, left for the next, removed when there must be room.

The tasks of a recording so read it from the storage once on each machine. When the job is over nothing stays.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from engine.contracts.stored import Stored
from engine.errors import OutputError, SourceError, StorageDeniedError, WorkerError
from engine.lock import is_at, try_lock
from engine.storage.s3 import Storage

_POLL_SECONDS = 0.2
_SHARE = 0.5
"""Of what is free in the folder: so much all files in it may take together."""


@contextmanager
def fetched(stored: Stored, storage: Storage, alive: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """Have an object as a file, which stays for the block.

    Args:
        stored: it must still be that.
        storage: where it is.
        alive: called now and then while it is fetched, or somebody else does so.

    Raises:
        SourceError: it is gone, another one by now, or may not be read.
        StorageError, StorageAwayError: see ``Storage``.
        WorkerError: there is no room for it.
        OutputError: the folder for temporary files cannot be used.
    """
    folder = _folder()
    try:
        now = storage.look(stored.place)
    except StorageDeniedError as error:  # of this one: whoever listed it could
        raise SourceError(str(error), "permission") from error
    if now is None or now.etag != stored.etag:
        why = "is not there any more" if now is None else "has changed since it was listed: give the same command again"
        raise SourceError(f"{stored.place} {why}", "not_found")
    path = folder / _name(stored)
    try:
        descriptor = _held(path, stored, storage, alive)
    except OSError as error:
        raise WorkerError(
            f"{stored.place} cannot be fetched to {folder} ({error.strerror}): set TMPDIR to another folder"
        ) from error
    try:
        os.utime(path)
        yield path
    finally:
        os.close(descriptor)


def forget_fetched() -> None:
    """Remove all that no task of this machine needs now."""
    with suppress(OSError):
        for path in _where().iterdir():
            _remove(path)


def _where() -> Path:
    return Path(tempfile.gettempdir()) / f"facestream-fetched-{os.getuid()}"


def _folder() -> Path:
    folder = _where()
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OutputError(f"{folder} is not private to this user: remove it, or set TMPDIR to another folder")
    return folder


def _name(stored: Stored) -> str:
    """Return a name that tells nothing but the ending, which FFmpeg looks at: keys may hold anything."""
    ending = PurePosixPath(stored.place.key).suffix.lower()
    known = hashlib.sha256("\n".join([stored.endpoint, str(stored.place), stored.etag]).encode()).hexdigest()[:32]
    return known + (ending if ending[1:].isalnum() and ending.isascii() and len(ending) <= 6 else "")


def _held(path: Path, stored: Stored, storage: Storage, alive: Callable[[], object]) -> int:
    """Return a descriptor of the whole file; as long as it is open nobody removes that. One process fetches it; others wait
    until it is whole, and share it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if try_lock(descriptor, fcntl.LOCK_SH) and _is_whole(path, descriptor, stored):
                return descriptor
            if not try_lock(descriptor):
                alive()
                time.sleep(_POLL_SECONDS)
            elif is_at(path, descriptor) and not _is_whole(path, descriptor, stored):
                _fetch(path, descriptor, stored, storage, alive)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _fetch(path: Path, descriptor: int, stored: Stored, storage: Storage, alive: Callable[[], object]) -> None:
    """Fill a file that nobody else has locked; where that fails there is none."""
    try:
        _make_room(path, stored)
        with open(descriptor, "wb", closefd=False) as file:
            file.truncate(0)
            storage.fetch(stored.place, file, stored.etag, alive)
            size_bytes = file.tell()
        if size_bytes != stored.size_bytes:
            raise SourceError(
                f"{stored.place} was listed with {stored.size_bytes:,} bytes, and {size_bytes:,} came: write it again",
                "not_found",
            )
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _is_whole(path: Path, descriptor: int, stored: Stored) -> bool:
    return is_at(path, descriptor) and os.fstat(descriptor).st_size == stored.size_bytes


def _make_room(path: Path, stored: Stored) -> None:
    """Remove what was used longest ago until there is room; what a task needs now stays."""
    others = []
    for other in path.parent.iterdir():
        with suppress(FileNotFoundError):
            others.append((other.stat().st_mtime_ns, other.stat().st_size, other))
    others = sorted(one for one in others if one[2] != path)
    free = shutil.disk_usage(path.parent).free
    taken = sum(size for _, size, _ in others)
    most = (free + taken) * _SHARE
    for _, size, other in others:
        if taken + stored.size_bytes > most and _remove(other):
            taken, free = taken - size, free + size
    if taken + stored.size_bytes > most:
        raise WorkerError(
            f"{path.parent} has no room for {stored.place} ({stored.size_bytes:,} bytes; {int(most):,} may be used there, and "
            f"{taken:,} are): set TMPDIR to a folder of a larger disk"
        )


def _remove(path: Path) -> bool:
    """Remove a file that nobody holds; return whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        if is_free := try_lock(descriptor):
            path.unlink(missing_ok=True)
        return is_free
    except OSError:
        return False
    finally:
        os.close(descriptor)
