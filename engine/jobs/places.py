"""Where a job keeps what: in a directory that all machines see, or in object storage, with a directory on each machine."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from engine.archive.claim import check_free, check_writable
from engine.contracts.stored import Place, is_stored, place_of
from engine.errors import UsageError
from engine.jobs.job_file import going_on
from engine.jobs.job_folder import FOLDER, JobFolder
from engine.jobs.stored_folder import StoredAt, StoredFolder, find_job, open_stored, stored_job
from engine.storage.s3 import check_endpoint
from engine.words.text import readable

RESULT = "result"
"""In the directory that was asked for, beside ``FOLDER``: what was found, as a run writes it."""


@dataclass(frozen=True)
class JobAt:
    """What somebody says of the place of a job.

    Args:
        where: a directory, or ``s3://BUCKET/PREFIX``.
        work: folder for what each machine keeps of a job in object storage; None: the user's folder for such.
        endpoint: of the object storage.

    Raises:
        UsageError: the endpoint cannot be so.
    """

    where: str
    work: Path | None = None
    endpoint: str = ""

    def __post_init__(self) -> None:
        check_endpoint(self.endpoint)

    @property
    def at(self) -> StoredAt | None:
        """The place in object storage; None: it is a directory.

        Raises:
            UsageError: no place can be so.
        """
        if not is_stored(self.where):
            return None
        place = place_of(self.where)
        return StoredAt(Place(place.bucket, place.key.rstrip("/")), self.endpoint)

    def command(self, verb: str, *words: str) -> str:
        """Return a command on the job that may be copied, and given in any folder: it says of where the job is what was said.

        Args:
            verb: ``submit``, ``fetch`` and so on.
            words: that it needs besides.
        """
        where = self.where if is_stored(self.where) else os.path.abspath(self.where)
        given = [*words, "--out", where] if verb == "submit" else [where, *words]
        if self.endpoint:
            given += ["--s3-endpoint", self.endpoint]
        if self.work is not None and verb != "fetch":
            given += ["--work", os.path.abspath(self.work)]
        return readable(shlex.join(["facestream", "archive", verb, *given]))


@dataclass(frozen=True)
class JobPlace:
    """What a job has on this machine."""

    folder: JobFolder
    result: Path
    """Directory of the whole."""


def begin_at(out: JobAt, *, overwrite: bool) -> JobPlace:
    """Return the place of a job that is begun, or gone on with.

    Raises:
        ConfigError: it cannot be written, or holds something else.
        StorageError, StorageAwayError: see ``Storage``.
    """
    at = out.at
    if at is None and out.work is not None:
        raise UsageError(f"--work is for results in object storage: all of a job in {out.where} is there: leave it out")
    base = Path(os.path.abspath(out.where)) if at is None else _work(out)
    check_writable(base)
    if at is not None:
        return _of(open_stored(at, base, overwrite=overwrite), at)
    check_free(base, "choose another one: a job has a directory of its own")
    return _of(base, None)


def found_at(out: JobAt) -> JobPlace:
    """Return the place of a job that was begun.

    Raises:
        UsageError: there is none, or this machine does not drive it.
        StorageError, StorageAwayError: see ``Storage``.
    """
    no_job = UsageError(f"{out.where} holds no job: `{out.command('submit', 'RECORDINGS')}` begins one")
    if (at := out.at) is None:
        place = _of(Path(out.where), None)
    elif token := find_job(at):
        place = _of(_work(out) / token, at)
    else:
        raise no_job
    if place.folder.attempts.is_dir():
        return place
    if at is None:
        raise no_job
    raise UsageError(
        f"{out.where} holds no job on this machine (--work): ask on the machine that drives it; "
        f"{going_on(stored_job(at))} drives it from here"
    )


def _work(out: JobAt) -> Path:
    return Path(os.path.abspath(out.work or user_cache_path("facestream") / "archive"))


def _of(base: Path, at: StoredAt | None) -> JobPlace:
    folder = JobFolder(base / FOLDER) if at is None else StoredFolder(base / FOLDER, at)
    return JobPlace(folder, base / RESULT)
