"""Who is at work on a task: a file that its holder renews, and that others take for abandoned when it stays the same.

Clocks of different machines are never compared. An observer looks at a lease again and again, and only where nothing has
changed for ``EXPIRES_SECONDS`` of its own clock is it taken away. A lease saves work and nothing else: two who do
the same task leave one result, as that is put in its place once (``job_folder``).
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.private_file import private_opener
from engine.runtime.awake import AwakeClock
from engine.whole_file import replacing

RENEW_SECONDS = 2.0
EXPIRES_SECONDS = 15.0


class Lease(msgspec.Struct, frozen=True):
    """What a lease says."""

    owner: str
    """Names one attempt."""
    node: str
    pid: int
    beat: int = 0
    """Counts its renewals."""
    seconds: float = 0.0
    """Of video that are done."""


_UNREADABLE = Lease("", "", 0)
"""Of a disk that is full, or a file system that lost it; gone by the next look, it was being replaced."""


class HeldLease:
    """A lease that is ours, until ``release``, or until somebody took it for abandoned.

    Args:
        path: of the file.
        owner: names the attempt.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._path, self._lease = path, Lease(owner, platform.node(), os.getpid())
        self._renewed = 0.0

    def take(self) -> bool:
        """Take it, if nobody has it.

        Raises:
            OSError: the folder cannot be written.
        """
        beside = self._path.with_name(f".{self._lease.owner}.{self._path.name}")
        with open(beside, "wb", opener=private_opener) as file:
            file.write(msgspec.json.encode(self._lease))
        try:
            os.link(beside, self._path)  # unlike opening with O_EXCL it is never there without its content
        except FileExistsError:
            return False
        finally:
            beside.unlink()
        self._renewed = time.monotonic()
        return True

    def renew(self, seconds: float) -> bool:
        """Say that it is still held, not more often than is needed; return whether it is still ours.

        Args:
            seconds: of video that are done.

        Raises:
            OSError: the folder cannot be written.
        """
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return True
        if (there := read_lease(self._path)) is None or there.owner != self._lease.owner:
            return False
        self._renewed = time.monotonic()
        self._lease = msgspec.structs.replace(self._lease, beat=self._lease.beat + 1, seconds=seconds)
        with replacing(self._path) as beside:
            beside.write_bytes(msgspec.json.encode(self._lease))
        return True

    def release(self) -> None:
        """Give it back, where it is ours."""
        there = read_lease(self._path)
        if there is not None and there.owner == self._lease.owner:
            with suppress(OSError):
                self._path.unlink()


def read_lease(path: Path) -> Lease | None:
    """Return what a lease says; None: there is none, or it is unreadable now."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Lease)
    except (OSError, *UNREADABLE):
        return None


class Observer:
    """Watches leases for their owners' silence.

    Args:
        folder: of the leases.
        clock: seconds; monotonic. None: one that stands still while this process does, as on a machine that is suspended with
            all who could renew.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] | None = None) -> None:
        self._folder, self._clock = folder, clock or AwakeClock().now
        self._seen: dict[str, tuple[Lease, float]] = {}

    def look(self) -> dict[str, Lease]:
        """Return all leases by the key of their task; those of the silent are taken away first.

        Raises:
            OSError: the folder cannot be read.
        """
        now, found = self._clock(), dict[str, Lease]()
        names = [name for name in os.listdir(self._folder) if not name.startswith(".")]
        for name in names:
            lease = read_lease(self._folder / name) or _UNREADABLE
            before = self._seen.get(name)
            if before is None or before[0] != lease:
                self._seen[name] = lease, now
            elif now - before[1] > EXPIRES_SECONDS and self._take_away(name, lease):
                continue
            found[name] = lease
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        return found

    def _take_away(self, name: str, silent: Lease) -> bool:
        """Take a lease away, unless it was renewed, or is another's, by now."""
        aside = self._folder / f".{silent.owner}.{name}.gone"
        try:
            (self._folder / name).rename(aside)
        except OSError:
            return True  # it is gone
        if (read_lease(aside) or _UNREADABLE) != silent:
            with suppress(OSError):  # it lives: put it back, where nobody else has begun
                os.link(aside, self._folder / name)
        with suppress(OSError):
            aside.unlink()
        return True
