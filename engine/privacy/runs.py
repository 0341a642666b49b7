"""Which directories below a path are those of runs, and their reports."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from engine.archive.claim import is_of_a_run
from engine.archive.files import FACES
from engine.archive.reader import recorded
from engine.errors import PublishError, UsageError
from engine.lock import DirectoryLock
from engine.privacy.cutting import LINES
from engine.privacy.folder import Folder
from engine.report.page import settings_of, write_report

RUN, REPORT, RUNS = "run.json", "report.html", "runs"
_DEEPEST = 3
Report = Literal["", "written again", "removed"]


class GoesOn(PublishError):
    """A run writes to a directory now."""


def runs_below(path: Path) -> list[Path]:
    """Return the directories of runs at a path and up to three levels below it, by name. Links are not followed, but for
    ``runs`` in a service's directory, which may lead to another disk.

    Raises:
        UsageError: there is no such directory.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is not a directory: name the output directory of a run, or a folder of them")
    return sorted(folder for folder, _, files in _folders(path) if _is_run(files))


def links_below(path: Path) -> list[Path]:
    """Return the links to directories beside the runs that ``runs_below`` has found: what is behind them was not looked at."""
    found = []
    for folder, inside, files in _folders(path):
        if not _is_run(files):
            found += [folder / name for name in inside if (folder / name).is_symlink() and folder / name != path / RUNS]
    return sorted(found)


def _is_run(files: Sequence[str]) -> bool:
    return RUN in files or any(name in files for name in LINES)


def _folders(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield each folder, the folders in it and the files in it."""
    tops = [path, path / RUNS] if (path / RUNS).is_symlink() and (path / RUNS).is_dir() else [path]
    for top in tops:
        for folder, inside, files in os.walk(top):
            yield Path(folder), list(inside), files
            depth = len(Path(folder).relative_to(path).parts)
            inside[:] = [] if depth >= _DEEPEST else [name for name in inside if name != FACES]


def not_of_the_run(directory: Path) -> list[str]:
    """Return what lies in a run's directory, or below it, that no run writes, relative to it; links are not followed, and
    another run's directory is not looked into."""
    found = []
    for folder, inside, files in os.walk(directory):
        if Path(folder) != directory and _is_run(files):
            inside[:] = []
            continue
        links = [name for name in inside if (Path(folder) / name).is_symlink()]
        found += [(Path(folder) / name).relative_to(directory).as_posix() for name in (*files, *links)]
    return sorted(name for name in found if not is_of_a_run(name))


@contextlib.contextmanager
def nobody_writes(directory: Path) -> Iterator[None]:
    """Keep every run out of a directory.

    Raises:
        GoesOn: one is writing there now.
        OSError: the directory cannot be opened.
    """
    try:
        lock = DirectoryLock(directory, wait_seconds=0.0)
    except PublishError as error:
        raise GoesOn(f"a run is writing to {directory} now: nothing in it was changed; {_when_over(directory)}") from error
    with contextlib.closing(lock):
        yield


def _when_over(directory: Path) -> str:
    if directory.absolute().parent.name != RUNS:
        return "do it again when it is over"
    return (  # of a service, whose run goes on for as long as nothing is changed
        "if it is that of a service, begin a new run (`facestream ctl settings set SECTION.KEY=VALUE` with another value of "
        "any setting) or stop the service, and do it again; else do it again when the run is over"
    )


def report_anew(directory: Path, is_stale: bool) -> Report:
    """Make the report of a run again, or remove it where that cannot be done, if there is one and its records have changed.

    Args:
        directory: nobody writes there.
        is_stale: they have; else it is looked at whether they are newer than the report.

    Raises:
        OSError: it can be neither written nor removed.
    """
    path = directory / REPORT
    with Folder(directory) as folder:
        if not folder.is_file(REPORT):
            return ""
        records = [directory / name for name in LINES if folder.is_file(name)]
        leads_out = any(map(folder.is_link, (RUN, *LINES)))
    newest = max((record.stat().st_mtime_ns for record in records), default=0)
    if not is_stale and not leads_out and newest <= path.stat().st_mtime_ns:
        return ""
    path.unlink()
    if leads_out:
        return "removed"
    try:
        write_report(directory, *settings_of(recorded(directory)))
    except PublishError:
        return "removed"
    return "written again"
