"""Whether a run may write into a directory: an earlier run's output is overwritten only on request."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path

from engine.archive.chain import CHAIN
from engine.archive.checkpoints import PROGRESS
from engine.archive.files import FACES
from engine.archive.pieces import CORRECTIONS, REJECTED
from engine.archive.vector_files import row_bytes, vector_files
from engine.errors import ConfigError
from engine.lock import DirectoryLock

LINES = {"face": "faces.jsonl", "track": "tracks.jsonl", "stream": "stream.jsonl"}
"""Kind of message to the file that has its lines."""
_OWN = ("run.json", "report.html", FACES, *LINES.values(), PROGRESS, CHAIN, CORRECTIONS, REJECTED)
_PICTURE = re.compile(rf"{FACES}/[^/]+/[0-9]+/[0-9]{{6,}}_[a-z0-9_]{{1,32}}\.(jpg|png|raw|bin)")
OF_A_RUN = "choose another one, or replace it with --overwrite; --resume continues an interrupted run"


def held_by_a_run(directory: Path) -> list[Path]:
    """Return what an earlier run left in a directory, ``run.json`` first; nothing where there is no directory."""
    own = [directory / name for name in _OWN]
    return [path for path in own if path.exists()] + vector_files(directory)


def run_around(path: Path) -> Path | None:
    """Return the directory of a run that a path is, or lies in at any depth; None: it does neither."""
    real = Path(os.path.realpath(path))
    return next((one for one in (real, *real.parents) if _is_run(one)), None)


def is_of_a_run(name: str) -> bool:
    """Whether a run, or who corrects it, writes a file of this name, relative to its directory with ``/``."""
    return (name in _OWN and name != FACES) or row_bytes(name) > 0 or _PICTURE.fullmatch(name) is not None


def _is_run(directory: Path) -> bool:
    """Whether a run has written there: either alone may be an export, or another program's."""
    return (directory / "run.json").is_file() and any((directory / name).is_file() for name in LINES.values())


def check_free(directory: Path, advice: str = OF_A_RUN) -> None:
    """Refuse a directory that holds a run; one that was killed before its ``run.json`` was there is none.

    Args:
        directory: that is to be written.
        advice: what may be done about it.

    Raises:
        ConfigError: it holds one.
    """
    if (held := held_by_a_run(directory)) and not _is_first_block_alone(held):
        raise ConfigError(f"{directory} already holds a run ({held[0].name}): {advice}")


def _is_first_block_alone(held: list[Path]) -> bool:
    """Whether all that there is of a run is the block with which its chain begins."""
    return [path.name for path in held] == [CHAIN] and held[0].read_bytes().count(b"\n") <= 1


def lock_for_run(directory: Path, *, follows: bool) -> DirectoryLock:
    """Lock the directory of a run; it must be there.

    Args:
        directory: that is written.
        follows: the run replaces one that is there, or goes on with it, and so waits a moment for its end; to others what that
            one leaves is of no use.

    Raises:
        PublishError: another run is writing to it.
        OSError: it cannot be opened.
    """
    return DirectoryLock(directory, None if follows else 0.0)


def check_writable(directory: Path) -> None:
    """Refuse a directory that cannot be made or written, as far as that can be seen without making it.

    Raises:
        ConfigError: it, or what is to hold it, is not a directory, or may not be written.
    """
    there = next(path for path in (directory, *directory.absolute().parents) if _is_there(path))
    if not there.is_dir():
        raise ConfigError(f"{there} is not a directory: choose another one than {directory} to write to")
    try:
        with tempfile.TemporaryFile(dir=there):  # what is allowed says nothing of a disk that is read-only, or of /proc
            pass
    except OSError as error:
        why = "may not be written" if error.errno in (errno.EACCES, errno.EPERM) else f"cannot be written: {error.strerror}"
        raise ConfigError(f"{there} {why}: choose another directory than {directory} to write to") from error


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"nothing can be written to {path}: {error.strerror}") from error
    return True
