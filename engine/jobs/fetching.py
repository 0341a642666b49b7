"""The whole of a job, brought from object storage to a directory, on which everything works that works on a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryFile

from engine.archive.claim import check_free, is_of_a_run
from engine.errors import OutputError, SourceError, UsageError
from engine.jobs.joining import OVERWRITE, take_place
from engine.jobs.packed import unpack
from engine.jobs.places import JobAt
from engine.jobs.stored_folder import find_job
from engine.private_file import make_private_folder
from engine.storage.s3 import FEW_ATTEMPTS, Storage


def fetch_result(out: JobAt, target: Path, *, overwrite: bool) -> None:
    """Bring a result; the directory is there whole, or as it was before.

    Args:
        out: of the job.
        target: a new directory.
        overwrite: replace the one that is there.

    Raises:
        UsageError: there is no result, or the directory holds something.
        OutputError: the directory cannot be written.
        StorageError, StorageAwayError: see ``Storage``.
    """
    if (at := out.at) is None:
        raise UsageError(f"{out.where} is not in object storage: a job there has its result in {out.where}/result")
    if not overwrite:
        check_free(target, OVERWRITE)
    if (other := _no_result(target)) is not None:
        raise UsageError(f"{other} is there, which is not of a result: choose another directory than {target}")
    if Storage(at.endpoint, FEW_ATTEMPTS).look(at.result) is None:
        begins = f"`facestream archive submit RECORDINGS --out {out.where}`"
        raise UsageError(
            f"the job at {out.where} is not done: {begins} goes on with it"
            if find_job(at)
            else f"there is no result at {out.where}: check the name, or begin with {begins}"
        )
    beside = target.absolute().with_name(f".fetching-{target.name}")
    try:
        make_private_folder(beside.parent)
        shutil.rmtree(beside, ignore_errors=True)
        make_private_folder(beside)
        with TemporaryFile(dir=beside.parent) as file:
            Storage(at.endpoint).fetch(at.result, file)
            unpack(file, beside, at.result)
        take_place(beside, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}: choose another directory") from error
    except SourceError as error:  # another one took its place just now
        raise OutputError(f"{error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _no_result(target: Path) -> Path | None:
    """Return what must not be replaced, as no run has written it."""
    if not target.is_dir():
        return target if target.exists() else None
    files = (path for path in target.rglob("*") if not path.is_dir())
    return next((path for path in files if not is_of_a_run(path.relative_to(target).as_posix())), None)
