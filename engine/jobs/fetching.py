"""The whole of a job, brought from object storage to a directory, on which everything works that works on a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from engine.archive.claim import check_free, is_of_a_run, run_around
from engine.archive.reader import recorded
from engine.errors import OutputError, PublishError, SourceError, UsageError
from engine.jobs.job_file import going_on
from engine.jobs.joining import OVERWRITE, take_place
from engine.jobs.packed import unpack
from engine.jobs.places import JobAt
from engine.jobs.stored_folder import StoredAt, find_job, job_of_result, stored_job
from engine.lock import DirectoryLock, alone_with
from engine.private_file import make_private_folder
from engine.storage.s3 import FEW_ATTEMPTS, Storage
from engine.words.numbers import count

_SHARED_CHARACTERS = 40
"""Of the directory's name, that what lies beside it has, too: a name may be nearly as long as one can be."""


def fetch_result(out: JobAt, target: Path, note: Callable[[str], None] = lambda sentence: None, *, overwrite: bool) -> None:
    """Bring a result; the directory is there whole, or as it was before.

    Args:
        out: of the job.
        target: a new directory.
        note: takes what is to be known of the result.
        overwrite: replace the one that is there.

    Raises:
        UsageError: there is no result, or the directory holds something.
        PublishError: somebody else writes to the directory now.
        OutputError: it cannot be written.
        StorageError, StorageAwayError: see ``Storage``.
    """
    if (at := out.at) is None:
        raise UsageError(f"{out.where} is not in object storage: a job there has its result in {out.where}/result")
    target = Path(os.path.realpath(target))
    _check(target, overwrite=overwrite)
    storage = Storage(at.endpoint, FEW_ATTEMPTS)
    if (found := storage.look(at.result)) is None:
        raise UsageError(_no_result(out, at))
    try:
        with _alone(target) as beside, TemporaryFile(dir=beside.parent) as file:
            Storage(at.endpoint).fetch(at.result, file, found.etag)
            unpack(file, beside, at.result)
            if said := _of_before(at, job_of_result(found), beside):
                note(said)
            _report(beside, target)
            _check(target, overwrite=overwrite)  # that took a while
            with ExitStack() as held:
                if target.exists():
                    held.enter_context(closing(DirectoryLock(target)))
                take_place(beside, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}: choose another directory") from error
    except SourceError as error:  # another one took its place just now
        raise OutputError(f"{error}") from error


def _check(target: Path, *, overwrite: bool) -> None:
    """Refuse to replace what no run has written, and without being told to a run."""
    if not overwrite:
        check_free(target, OVERWRITE)
    if (other := _no_run(target)) is not None:
        raise UsageError(f"{other} exists, and is not part of a result: choose another directory than {target}")
    if (run := run_around(target.parent)) is not None:
        raise UsageError(f"{target} lies inside the run's directory {run}: choose a place outside of it")


def _no_run(target: Path) -> Path | None:
    """Return what no run has written."""
    if not target.is_dir():
        return target if target.exists() else None
    files = (path for path in target.rglob("*") if not path.is_dir())
    return next((path for path in files if not is_of_a_run(path.relative_to(target).as_posix())), None)


def _no_result(out: JobAt, at: StoredAt) -> str:
    if find_job(at):
        return f"the job at {out.where} is not done: {going_on(stored_job(at))} continues it"
    return f"there is no result at {out.where}: check the name, or begin with `{out.command('submit', 'RECORDINGS')}`"


@contextmanager
def _alone(target: Path) -> Iterator[Path]:
    """Have an empty directory beside another one, which goes with the block, in which nobody else fetches to that."""
    beside = target.with_name(f".fetching-{target.name[-_SHARED_CHARACTERS:]}")
    lock = beside.with_name(f"{beside.name}.lock")
    make_private_folder(target.parent)
    with ExitStack() as held:
        try:
            held.enter_context(alone_with(lock))
        except PublishError as error:
            raise PublishError(
                f"another command is fetching to {target} now: wait for it to end, or choose another directory"
            ) from error
        held.callback(lock.unlink, missing_ok=True)
        held.callback(shutil.rmtree, beside, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)  # of one that was killed
        make_private_folder(beside)
        yield beside


def _of_before(at: StoredAt, job: str, result: Path) -> str:
    """Return a sentence where the job has been given more, or was begun anew, since its result was made."""
    if (now := find_job(at)) and job and now != job:
        return "the job was begun anew since this result was made: fetch it again when that is done"
    given = stored_job(at)
    inputs = recorded(result).get("inputs") or {}
    if given is not None and set(given.recordings) != set(inputs):
        return (
            f"this result has {count(len(inputs), 'recording')}, and the job was last given {len(given.recordings):,}: "
            f"fetch it again when that is done ({going_on(given)} continues it)"
        )
    return ""


def _report(result: Path, target: Path) -> None:
    """Let the commands in the report speak of the directory where it will be."""
    if (result / "report.html").exists():
        from engine.report.page import settings_of, write_report  # loads what looks at pictures

        write_report(result, *settings_of(recorded(result)), place=target)
