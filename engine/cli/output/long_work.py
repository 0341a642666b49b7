"""What commands that write one file after long work have in common."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.archive.claim import check_writable
from engine.cli.output.overwriting import check_new
from engine.cli.output.share_bar import share_bar
from engine.errors import UsageError
from engine.pipeline.signals import TakenSignals
from engine.whole_file import is_written_into


def check_place(path: Path | None, *, overwrite: bool, read: Iterable[Path] = ()) -> None:
    """Refuse a file that cannot be written, before the work begins.

    Args:
        path: of the file; None: there is none.
        overwrite: whether it may be there.
        read: recordings and pictures that the work reads: nothing replaces one, whatever else may be replaced.

    Raises:
        UsageError: it is there, and may not be replaced; it is a folder; or its folder is not there, or cannot be written.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give a file")
    if path.exists() and any(one.exists() and path.samefile(one) for one in read):
        raise UsageError(f"{path} is a recording or picture that is read: choose another name")
    check_new([path], overwrite=overwrite)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first, or choose another place")
    if not is_written_into(path):  # a device, as /dev/stdout, is not made
        check_writable(path.absolute().parent)


@contextmanager
def ends_cleanly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that no half-written file, and no pictures of faces, are left."""

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with TakenSignals(interrupt, (signal.SIGTERM, signal.SIGHUP)):
        yield


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[float], None]]:
    """Show a ``share_bar`` for work that ``ends_cleanly``."""
    with ends_cleanly(), share_bar(words) as tell:
        yield tell
