"""The epoch of a gallery's file: a random word that changes when a copy replaces the file.

The file alone cannot tell: a copy holds all that the original held when it was made. So the word is also stored in a small file
beside it, with the number of the last change. The small file belongs to a gallery only if the words are equal and the gallery
has at least as many changes. A copy elsewhere has no small file beside it, and one put back over the original has fewer
changes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.whole_file import replacing

if TYPE_CHECKING:
    from engine.verify.gallery.sqlite.file import GalleryFile

_TABLE = "CREATE TABLE IF NOT EXISTS epochs (epoch TEXT NOT NULL)"
"""Has one row. Writers create it: a version of facestream that does not know it reads the file as before."""
_BESIDE = re.compile(r"([0-9a-f]{16}) ([0-9]{1,18})\n")
_DIGITS = 16
Noted = tuple[str, int] | None
"""An epoch and a number of changes."""


def beside(gallery: Path) -> Path:
    """Return the small file of a gallery."""
    gallery = Path(os.path.realpath(gallery))
    return gallery.with_name(f"{gallery.name}-epoch")


def noted_beside(gallery: Path) -> Noted:
    """Return the content of a gallery's small file. Read it before the gallery, whose number of changes only grows."""
    with suppress(OSError, UnicodeDecodeError):
        if found := _BESIDE.fullmatch(beside(gallery).read_text("ascii")):
            return found[1], int(found[2])
    return None


def epoch_of(file: GalleryFile, revision: int, noted: Noted) -> str:
    """Return the epoch of a gallery, 16 hexadecimal digits, without writing.

    If it is not settled, all readers get the same one until somebody writes to it, see ``settle``.

    Args:
        file: within a transaction.
        revision: number of its changes.
        noted: from ``noted_beside``.

    Raises:
        GalleryError: it cannot be read.
    """
    stored = _stored(file)
    if stored and _is_of(noted, stored, revision):
        return stored
    with suppress(OSError):
        found = f"{stored} {noted} {file.path.stat().st_ino}"
        return hashlib.sha256(found.encode()).hexdigest()[:_DIGITS]
    return stored or "0" * _DIGITS


def settle(file: GalleryFile) -> None:
    """Give a gallery that is new or a copy a new epoch; call it before the first change.

    Raises:
        GalleryError: it cannot be written.
    """
    noted = noted_beside(file.path)
    if _is_of(noted, _stored(file), _revision(file)):
        return
    with file.transaction("IMMEDIATE"):
        revision = _revision(file)
        if _is_of(noted_beside(file.path), _stored(file), revision):  # checked again: another process may have been first
            return
        epoch = secrets.token_hex(_DIGITS // 2)
        file.execute(_TABLE)
        file.execute("DELETE FROM epochs")
        file.execute("INSERT INTO epochs VALUES (?)", (epoch,))
        _note(file.path, epoch, revision)


def note(file: GalleryFile) -> None:
    """Record the number of changes beside a gallery; call it after each change.

    Raises:
        GalleryError: it cannot be read.
    """
    epoch, revision = _stored(file), _revision(file)
    noted = noted_beside(file.path)
    if epoch and (noted is None or noted[0] != epoch or noted[1] < revision):
        _note(file.path, epoch, revision)


def _revision(file: GalleryFile) -> int:
    return int(file.rows("SELECT version FROM state")[0][0])


def _stored(file: GalleryFile) -> str:
    if not file.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'epochs'"):
        return ""
    rows = file.rows("SELECT epoch FROM epochs")
    return str(rows[0][0]) if rows else ""


def _is_of(noted: Noted, epoch: str, revision: int) -> bool:
    return noted is not None and noted[0] == epoch and noted[1] <= revision


def _note(gallery: Path, epoch: str, revision: int) -> None:
    # If it cannot be written, every writer starts another epoch, which is safe.
    with suppress(OSError), replacing(beside(gallery)) as unfinished:
        unfinished.write_text(f"{epoch} {revision}\n", encoding="ascii")
