"""The directory of a job whose results are in object storage.

Each machine has a directory of its own, with what need not be shared: leases, what is being filled, attempts, and where the job
is driven what was read back. Below the job's place in the storage is what all must see, and what outlives every machine:

job/token             name of the job; a job that is begun anew has another one
job/job.json          see ``job_folder``
job/gallery.sqlite*   the gallery of its beginning, and which life of it that is
job/results/KEY.tar   what a task has left, written only where there is none
result.tar            the whole
"""

from __future__ import annotations

import io
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import msgspec

from engine.archive.reader import recorded
from engine.contracts.stored import Place
from engine.errors import OutputError, PublishError, StorageError
from engine.jobs.job_file import JobFile, decoded_job
from engine.jobs.job_folder import FOLDER, GALLERY, JOB, TOKEN, JobFolder, sync_all
from engine.jobs.packed import packed, unpack
from engine.lock import DirectoryLock
from engine.storage.found import Found
from engine.storage.s3 import FEW_ATTEMPTS, Storage
from engine.whole_file import replacing

RESULT = "result.tar"
_PACKED = ".tar"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{0,40}-[0-9a-f]{12}")
_OURS = re.compile(rf"results/[^/]+{re.escape(_PACKED)}|{TOKEN}|{re.escape(JOB)}|{re.escape(GALLERY)}(-epoch)?")
"""Names below the folder of a job."""


class StoredAt(msgspec.Struct, frozen=True):
    """Where a job has its results."""

    place: Place
    endpoint: str = ""

    @property
    def folder(self) -> Place:
        """Below it is all but the whole."""
        return self.place / "job"

    @property
    def result(self) -> Place:
        """The whole."""
        return self.place / RESULT

    @property
    def name(self) -> str:
        """What a folder may be called after it; empty: nothing of it can stand in such a name."""
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.place.key or self.place.bucket)[-40:].strip("-")


class StoredFolder(JobFolder):
    """See ``JobFolder``. What it raises besides: ``StorageError`` and ``StorageAwayError``, see ``Storage``; ``OutputError``
    where the directory cannot be written, as on a full disk.

    Args:
        directory: on this machine.
        at: of the job.
    """

    def __init__(self, directory: Path, at: StoredAt) -> None:
        super().__init__(directory)
        self.at, self._storage = at, Storage(at.endpoint)
        self._etags: dict[str, str] = {}

    def again(self) -> Callable[[], JobFolder]:
        return partial(StoredFolder, self.directory, self.at)

    def done(self) -> set[str]:
        place = self.at.folder / "results/"
        found = {one.key[len(place.key) :]: one.etag for one in self._storage.listed(place)}
        self._etags = {name.removesuffix(_PACKED): etag for name, etag in found.items() if name.endswith(_PACKED)}
        return set(self._etags)

    def has(self, key: str) -> bool:
        return self._storage.look(self._place(key)) is not None

    def result(self, key: str) -> Path:
        """Read it back, where that was not done before: what counts is what is in the storage."""
        if (there := self._read_back(key)).is_dir():
            return there
        with self._written():
            place = self.new_place(f"{key}-back")
            with TemporaryFile(dir=self.unfinished) as file:
                self._etags[key] = self._storage.fetch(self._place(key), file)
                unpack(file, place, self._place(key))
            sync_all(place)
            if (there := self._read_back(key)).is_dir():
                shutil.rmtree(place)
            else:
                place.rename(there)
        return there

    def keep(self, key: str, place: Path) -> bool:
        with self._written(), packed(place, self.unfinished) as file:
            is_first = self._storage.put_new(self._place(key), file)
        shutil.rmtree(place, ignore_errors=True)
        return is_first

    def discard(self, key: str) -> None:
        self._storage.delete([self._place(key)])
        self._etags.pop(key, None)

    def write(self, name: str, content: msgspec.Struct) -> None:
        with self._written():
            super().write(name, content)
            with open(self.directory / name, "rb") as file:
                self._storage.replace(self.at.folder / name, file)

    def prepare(self) -> None:
        self.make()
        for name in (f"{GALLERY}-epoch", GALLERY):
            self.bring(name)

    def bring(self, name: str) -> None:
        path = self.directory / name
        if path.exists() or self._storage.look(self.at.folder / name) is None:
            return
        with self._written(), replacing(path) as beside, open(beside, "wb") as file:
            self._storage.fetch(self.at.folder / name, file)

    def share(self, name: str, made: Path) -> None:
        with self._written(), open(made, "rb") as file:
            self._storage.put_new(self.at.folder / name, file)
            made.unlink()
        self.bring(name)

    def identify(self) -> str:
        return self.token()

    def token(self) -> str:
        return (self._storage.read(self.at.folder / TOKEN) or b"").decode(errors="replace")

    def unseen(self) -> str:
        return f"another job, or none, is there at {self.at.place}: let all machines reach the same storage (--s3-endpoint)"

    def publish(self, result: Path) -> None:
        content = f"{recorded(result).get('archive', {}).get('content', '')} {self.token()}"
        known = self._storage.look(self.at.result)
        if known is not None and known.content == content:
            return
        with self._written(), packed(result, self.unfinished) as file:
            self._storage.replace(self.at.result, file, content)

    def _place(self, key: str) -> Place:
        return self.at.folder / f"results/{key}{_PACKED}"

    def _read_back(self, key: str) -> Path:
        """Return where a result is, if it was read back: one that was removed and made anew is another."""
        etag = re.sub("[^A-Za-z0-9-]", "-", self._etags.get(key, "-"))
        return self.results / f"{key}.{etag}"

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.directory} cannot be written: {error.strerror or error}: make room there, or choose another --work"
            ) from error


def open_stored(at: StoredAt, work: Path, *, overwrite: bool) -> Path:
    """Begin a job, or find the one that is there; return its directory on this machine, which need not be there.

    Args:
        at: of the job.
        work: folder for what jobs have on this machine.
        overwrite: begin anew.

    Raises:
        StorageError, StorageAwayError: see ``Storage``.
    """
    storage = Storage(at.endpoint, FEW_ATTEMPTS)
    if overwrite:
        if _TOKEN.fullmatch(old := _token(at, storage)):
            _remove_here(work / old)
        below = at.folder / ""
        ours = (one.key for one in storage.listed(below) if _OURS.fullmatch(one.key[len(below.key) :]))
        storage.delete([Place(below.bucket, key) for key in ours])
    storage.put_new(at.folder / TOKEN, io.BytesIO(f"{at.name}-{secrets.token_hex(6)}".encode()))
    with suppress(StorageError):  # that is housekeeping, for which not everybody has the right
        for left in (at.folder / "", at.result):
            storage.abort_uploads(left)
    if not (token := find_job(at, storage)):
        raise StorageError(f"{at.place} does not give back what was written there: check the rights to read")
    return work / token


def _remove_here(base: Path) -> None:
    if (base / FOLDER).is_dir():
        with closing(DirectoryLock(base / FOLDER)):
            shutil.rmtree(base, ignore_errors=True)


def find_job(at: StoredAt, storage: Storage | None = None) -> str:
    """Return the name of the job that is there; empty: there is none.

    Raises:
        PublishError: what stands there is none.
    """
    token = _token(at, storage or Storage(at.endpoint, FEW_ATTEMPTS))
    if token and not _TOKEN.fullmatch(token):
        raise PublishError(f"{at.folder / TOKEN} is not of a job: choose another place, or start over with --overwrite")
    return token


def stored_job(at: StoredAt) -> JobFile | None:
    """Return what a job is; None: nobody has said.

    Raises:
        ConfigError: what stands there is none of ours.
    """
    place = at.folder / JOB
    content = Storage(at.endpoint, FEW_ATTEMPTS).read(place)
    return None if content is None else decoded_job(content, place)


def job_of_result(result: Found) -> str:
    """Return the name of the job of which a ``result.tar`` is; empty: not known."""
    return result.content.partition(" ")[2]


def _token(at: StoredAt, storage: Storage) -> str:
    return (storage.read(at.folder / TOKEN) or b"").decode(errors="replace")
