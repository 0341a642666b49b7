"""Rewrites a gallery into a new file, encrypted or plain. The original is only read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.errors import GalleryError
from engine.verify.gallery.copy import Copied, copy_gallery
from engine.verify.gallery.sqlite.cipher import GalleryKey
from engine.verify.gallery.sqlite.epoch import beside
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.whole_file import place_new, sync_directory

_LEFT_BEHIND = ("-wal", "-journal")
"""Suffixes of an earlier gallery's log files, which SQLite would take for the new one's."""


def rewrite(source: Path, target: Path, old: GalleryKey | None, new: GalleryKey | None) -> Copied:
    """Write a whole gallery into a new file, and verify it. The new file appears only after it was verified; if anything fails,
    or the process is killed, it does not exist.

    Args:
        source: file of a gallery that nobody changes meanwhile: later changes are not copied.
        target: a path in an existing folder at which nothing exists.
        old: key of the source; None: not encrypted.
        new: key of the target; None: not encrypted.

    Raises:
        GalleryError: the target exists, a file cannot be read or written, or the two differ.
        MissingRuntimeError: see ``driver_of``.
    """
    for there in (target, *(target.with_name(f"{target.name}{ending}") for ending in _LEFT_BEHIND)):
        if os.path.lexists(there):
            raise GalleryError(f"{there} exists: name another file, or move it away")
    folder = target.absolute().parent
    try:
        with TemporaryDirectory(prefix=".unfinished-", dir=folder) as name:
            made = Path(name, target.name)
            with Gallery(source, read_only=True, key=old) as before, Gallery(made, key=new) as after:
                copied = copy_gallery(before, after)
            _check(made, new, copied)
            place_new(made, folder / target.name)
            with suppress(FileNotFoundError):
                beside(made).replace(folder / beside(made).name)
            sync_directory(folder)
    except FileExistsError as error:
        raise GalleryError(f"{target} was created meanwhile, and is kept: name another file, or move it away") from error
    except OSError as error:
        raise GalleryError(f"cannot write {target}: {error.strerror}; {source} is as it was") from error
    return copied


def _check(made: Path, key: GalleryKey | None, copied: Copied) -> None:
    """Verify a new file by reading it as a later user will."""
    with Gallery(made, read_only=True, key=key) as again:
        (faults,) = zip(*again.tables.rows("PRAGMA integrity_check"), strict=True)
        digests = {sha256: again.snapshot(sha256).gallery for sha256 in copied.digests}
    if faults != ("ok",) or any(one is None or one.digest != copied.digests[sha256] for sha256, one in digests.items()):
        raise GalleryError(
            f"what was written to {made.name} is not what should have been written, and was discarded: check the disk"
        )
