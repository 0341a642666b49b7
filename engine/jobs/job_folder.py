"""The directory of a job: everything that outlives whoever works on it.

job.json            what is to be done: made once, and compared with what is asked for later
results/KEY/        what a task has left, whole: put there by one rename, so that it is there once
attempts/KEY.json   attempts at a task that left no result
leases/KEY          who is at work on it now
unfinished/         directories that are being filled
status.json         how the job stands, each second while somebody drives it
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, OutputError
from engine.jobs.attempts import Attempts
from engine.private_file import make_private_folder
from engine.whole_file import replacing, sync_directory, write_whole

FOLDER = "job"
"""Where it lies, in the directory of the whole."""
JOB, STATUS, GALLERY, TOKEN = "job.json", "status.json", "gallery.sqlite", "token"
_FOLDERS = ("results", "attempts", "leases", "unfinished")


class JobFolder:
    """Paths, and what is done to them at once or not at all.

    Args:
        directory: of the job, on a file system that all nodes see under the same path.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = Path(os.path.abspath(directory))
        self.results, self.attempts, self.leases, self.unfinished = (self.directory / name for name in _FOLDERS)

    def again(self) -> Callable[[], JobFolder]:
        """Return what makes the same in another process."""
        return partial(JobFolder, self.directory)

    def make(self) -> None:
        """Make what is not there yet.

        Raises:
            OutputError: it cannot be made.
        """
        try:
            for name in _FOLDERS:
                make_private_folder(self.directory / name)
        except OSError as error:
            raise OutputError(f"{error.filename} cannot be made: {error.strerror}") from error

    def write(self, name: str, content: msgspec.Struct) -> None:
        """Replace one of the job's own files; it survives a power cut.

        Raises:
            OSError: it cannot be written.
        """
        _write(self.directory / name, _readable(content))

    def tell(self, standing: msgspec.Struct) -> None:
        """Replace ``status.json``, each second: after a power cut an older one, or none, will do.

        Raises:
            OSError: it cannot be written.
        """
        with replacing(self.directory / STATUS) as beside:
            beside.write_bytes(_readable(standing))

    def done(self) -> set[str]:
        """Return the keys of the tasks whose results are there."""
        return _names(self.results)

    def has(self, key: str) -> bool:
        """Whether the result of a task is there."""
        return (self.results / key).is_dir()

    def result(self, key: str) -> Path:
        """Return the directory with what a task has left, which is there."""
        return self.results / key

    def new_place(self, owner: str) -> Path:
        """Return an empty directory for an attempt to fill.

        Raises:
            OSError: it cannot be made.
        """
        place = self.unfinished / owner
        shutil.rmtree(place, ignore_errors=True)
        make_private_folder(place)
        return place

    def keep(self, key: str, place: Path) -> bool:
        """Put what an attempt has left in its place, for good; return whether it was the first.

        Raises:
            OSError: it cannot be brought to the disk.
        """
        sync_all(place)
        try:
            place.rename(self.results / key)
        except OSError:
            if not (self.results / key).is_dir():
                raise
            shutil.rmtree(place, ignore_errors=True)
            return False
        sync_directory(self.results)
        return True

    def discard(self, key: str) -> None:
        """Let a task be done anew.

        Raises:
            OSError: the folder cannot be written.
        """
        (self.results / key).rename(self.unfinished / key)
        shutil.rmtree(self.unfinished / key, ignore_errors=True)

    def read_attempts(self) -> dict[str, Attempts]:
        """Return the attempts that left nothing, by key of their task.

        Raises:
            ConfigError: a file is none of ours.
        """
        return {name.removesuffix(".json"): self._attempts_at(self.attempts / name) for name in _names(self.attempts)}

    def _attempts_at(self, path: Path) -> Attempts:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Attempts)
        except FileNotFoundError:
            return Attempts("", [])
        except (OSError, *UNREADABLE) as error:
            raise ConfigError(f"{path} cannot be read ({error}): remove it, the task is then tried again") from error

    def write_attempts(self, key: str, attempts: Attempts) -> None:
        """Replace what is known of the attempts at a task.

        Raises:
            OSError: it cannot be written.
        """
        _write(self.attempts / f"{key}.json", msgspec.json.encode(attempts))

    def forget_attempts(self, key: str) -> None:
        """Let a task be tried anew.

        Raises:
            OSError: the folder cannot be written.
        """
        (self.attempts / f"{key}.json").unlink(missing_ok=True)

    def identify(self) -> str:
        """Return what workers will find that see the same directory as whoever drives the job.

        Raises:
            OSError: it cannot be written.
        """
        mark = secrets.token_hex(8)
        (self.directory / TOKEN).write_text(mark)
        return mark

    def token(self) -> str:
        """Return what ``identify`` has left; empty: nothing."""
        try:
            return (self.directory / TOKEN).read_text()
        except OSError:
            return ""

    def unseen(self) -> str:
        """Return what to say of nodes whose workers find something else."""
        return f"{self.directory} is not the same there: give --out a folder that all nodes have under the same path"

    def prepare(self) -> None:
        """Get ready on the machine of a worker."""

    def bring(self, name: str) -> None:
        """Have one of the job's own files here, if it has it."""

    def share(self, name: str, made: Path) -> None:
        """Let all machines have a file as one of the job's own, once; it goes from where it is.

        Raises:
            OSError: it cannot be moved.
        """
        made.rename(self.directory / name)

    def publish(self, result: Path) -> None:
        """Put the whole, which a directory holds, where it is to be."""

    def clean(self, living: set[str]) -> None:
        """Remove directories that attempts left which are over.

        Args:
            living: owners of leases.
        """
        for name in _names(self.unfinished) - living:
            shutil.rmtree(self.unfinished / name, ignore_errors=True)


def sync_all(place: Path) -> None:
    """Bring a directory with all below it to the disk.

    Raises:
        OSError: it cannot be.
    """
    for folder, _, files in os.walk(place):
        for name in files:
            _sync(Path(folder, name))
        sync_directory(Path(folder))


def _names(folder: Path) -> set[str]:
    with suppress(FileNotFoundError):
        return {name for name in os.listdir(folder) if not name.startswith(".")}
    return set()


def _readable(content: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _write(path: Path, content: bytes) -> None:
    write_whole(path, content)
    sync_directory(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
