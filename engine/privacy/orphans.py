"""Pictures that no line of a run names, as after the death of a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.archive.files import FACES, whole_lines
from engine.archive.pieces import REJECTED
from engine.archive.reader import NamedFiles
from engine.archive.record_check import RECORDS
from engine.contracts.unreadable import UNREADABLE
from engine.privacy.folder import Destroyed, Folder


def remove_orphans(directory: Path, before_ns: float, gone: Destroyed) -> None:
    """Delete those that were written before a time.

    Args:
        directory: of a run that nobody writes to.
        before_ns: Unix, nanoseconds.
        gone: is told what went.
    """
    old = set(_old_pictures(directory, before_ns))
    if not old:
        return
    with Folder(directory) as folder:
        for name in filter(folder.is_file, (*RECORDS, REJECTED)):
            for line in whole_lines(directory / name):
                old.difference_update(_named_by(line))
        for name in old:
            folder.remove(name, gone)
            folder.empty(name.rpartition("/")[0], Destroyed()) if not _siblings(directory / name) else None


def _old_pictures(directory: Path, before_ns: float) -> Iterator[str]:
    if (directory / FACES).is_symlink():
        return
    for folder, _, names in os.walk(directory / FACES):
        for name in names:
            path = Path(folder) / name
            if path.lstat().st_mtime_ns < before_ns:
                yield path.relative_to(directory).as_posix()


def _siblings(path: Path) -> bool:
    return any(path.parent.iterdir()) if path.parent.is_dir() else True


def _named_by(line: bytes) -> set[str]:
    try:
        return set(msgspec.json.decode(line, type=NamedFiles).files.values())
    except UNREADABLE:
        return set()
