"""Writes to the audit log: one line at a time, on the disk before the caller goes on.

Writers of all processes take turns at a lock on the file, and each finds the end of the file anew: nothing is kept in memory.
A power cut can leave half a line; the next writer cuts it off and logs that in a line of its own.

If the head beside the log shows that lines are missing at the end, the next writer logs that too, and goes on.

Size: a line has about 400 bytes, at most a few thousand, so a thousand a day are 150 MB in a year. The log is not rotated, as a
chain that begins in the middle proves nothing: whoever calls it writes what people do, and bounds what strangers can cause (as
one line a minute of refused attempts).
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from platformdirs import user_state_path

from engine.audit.entries import Entry, Outcome
from engine.audit.people import People, hidden
from engine.contracts.hash_chain import FIRST, decode, encode, hash_of
from engine.contracts.unreadable import UNREADABLE
from engine.errors import AuditError
from engine.lock import lock_within
from engine.private_file import make_own_folder
from engine.whole_file import read_no_link, sync_directory, write_private
from engine.words.numbers import count
from engine.words.text import readable

ENGINE = "facestream"
"""Who writes what the log says of itself."""
REPAIR, GAP = "repair", "gap"
"""What it says: half a line was cut off; lines were missing at its end."""
_LONGEST = {"who": 200, "did": 60, "on": 400, "detail": 2000}
"""Characters; more is cut."""
_BLOCK_BYTES = 1 << 14
WAIT_SECONDS = 30.0
"""For other writers, each of which takes some milliseconds."""


class Head(msgspec.Struct, frozen=True):
    """What the end of the log was when something was last written."""

    lines: Annotated[int, msgspec.Meta(ge=1)]
    """A head is written behind a line: there is at least one."""
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    """Of the last line."""


@dataclass(frozen=True)
class _End:
    """Where the log ends."""

    lines: int
    before: str
    torn: bytes = b""
    """What stood behind the last whole line."""


def default_log() -> Path:
    """Return the user's own log, as ``~/.local/state/facestream/audit.jsonl``."""
    return user_state_path("facestream", appauthor=False) / "audit.jsonl"


def beside(path: Path) -> tuple[Path, Path]:
    """Return the files of the head and of the people of a log."""
    return path.with_name(f"{path.name}.head"), path.with_name(f"{path.name}.people")


class AuditLog:
    """One log. For any number of threads and processes.

    Args:
        path: the file; made with its folder, for the owner alone, by the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self._head, self._people = beside(self.path)

    def record(
        self,
        who: str,
        did: str,
        *,
        on: str = "",
        people: Sequence[str] = (),
        outcome: Outcome = "done",
        detail: str = "",
    ) -> Entry:
        """Write one line; it would survive a power cut when this returns.

        Args:
            who: did it, as a token's name or a user of the machine.
            did: a verb, as ``enrol``.
            on: a thing, as a stream; not a person.
            people: names of the persons it was done to, as the caller has them; the log holds pseudonyms.
            outcome: how it ended.
            detail: a sentence; the names of ``people`` in it become pseudonyms too, others must not be in it.

        Raises:
            AuditError: it may not be there, as the disk is full, or the last line of the log is damaged.
        """
        with self._locked() as descriptor:
            known = People(self._people)
            names = {name: known.pseudonym(name) for name in people}
            known.save()  # first: a pseudonym that nobody can resolve would say nothing
            end = self._repaired(descriptor)
            entry = Entry(
                number=end.lines,
                at=_now(),
                who=_cut("who", who),
                did=_cut("did", did),
                on=_cut("on", on),
                people=tuple(names.values()),
                outcome=outcome,
                detail=_cut("detail", hidden(detail, names)),
                before=end.before,
            )
            self._write(descriptor, entry)
            return entry

    def forget(self, is_meant: Callable[[str], bool]) -> int:
        """Make it impossible to say which lines are about a person; no line changes. Return how many names went.

        Args:
            is_meant: is asked about each name that the log knows.

        Raises:
            AuditError: it could not be done.
        """
        if not self.path.exists():
            return 0
        with self._locked():
            known = People(self._people)
            gone = known.forget(is_meant)
            known.save()
            return gone

    def names(self) -> dict[str, str]:
        """Return the name of each pseudonym that is still known.

        Raises:
            AuditError: the file of names cannot be read.
        """
        return People(self._people).names()

    def _wait_for(self, descriptor: int) -> None:
        """Lock the file; a writer that was stopped in the middle must not hold up all others for ever."""
        if not lock_within(descriptor, WAIT_SECONDS):
            raise AuditError(
                f"another process has held the audit log {self.path} for {WAIT_SECONDS:g} seconds: find it with "
                f"`fuser {self.path}`"
            )

    def _repaired(self, descriptor: int) -> _End:
        """Return the end of the log; half a line is cut off before, and what is wrong is said in the log."""
        end = self._end(descriptor)
        if end.torn:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(end.torn))
            end = self._say(
                descriptor,
                end,
                REPAIR,
                f"cut off {count(len(end.torn), 'byte')} of a line that was never finished (SHA-256 {hash_of(end.torn)})",
            )
        head = read_head(self.path)
        if head is None and is_head_lost(self.path, end.lines):
            return self._say(descriptor, end, GAP, "nothing said where the log should end: its head was missing or damaged")
        if head is not None and head.lines > end.lines:
            missing = f"{count(head.lines - end.lines, 'line')} missing at the end; the last had the SHA-256 {head.sha256}"
            return self._say(descriptor, end, GAP, missing)
        return end

    def _say(self, descriptor: int, end: _End, did: str, detail: str) -> _End:
        line = Entry(number=end.lines, at=_now(), who=ENGINE, did=did, on=self.path.name, detail=detail, before=end.before)
        self._write(descriptor, line, keep_head=did == REPAIR)
        return _End(end.lines + 1, hash_of(encode(line)))

    def _end(self, descriptor: int) -> _End:
        size = os.fstat(descriptor).st_size
        tail, start = b"", size
        while start and tail.count(b"\n") < 2:
            step = min(_BLOCK_BYTES, start)
            start -= step
            tail = os.pread(descriptor, step, start) + tail
        whole, _, torn = tail.rpartition(b"\n")
        if b"\n" not in tail:
            return _End(0, FIRST, torn)
        line = whole.rpartition(b"\n")[2] + b"\n"
        entry = decode(line, Entry)
        if entry is None:
            raise AuditError(
                f"the last line of the audit log {self.path} is damaged: see `facestream audit verify`, and move the log away, "
                "with the files beside it, to begin another one"
            )
        return _End(entry.number + 1, hash_of(line), torn)

    def _write(self, descriptor: int, entry: Entry, keep_head: bool = False) -> None:
        line = encode(entry)
        start = os.lseek(descriptor, 0, os.SEEK_END)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, start)
            raise
        if not keep_head:  # else it has to say yet how many lines there were
            write_private(self._head, msgspec.json.encode(Head(entry.number + 1, hash_of(line))))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            new = not self.path.exists()
            make_own_folder(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._wait_for(descriptor)
                if new:
                    sync_directory(self.path.parent)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise AuditError(f"cannot write to the audit log {self.path}: {why}") from error


def read_head(path: Path) -> Head | None:
    """Return the head of a log, None where there is none that can be read."""
    try:
        return msgspec.json.decode(read_no_link(beside(path)[0]), type=Head)
    except (OSError, *UNREADABLE):
        return None


def is_head_lost(path: Path, lines: int) -> bool:
    """Return whether a log whose head cannot be read had one: a power cut may come between the first line and the first head,
    but leaves no damaged one.

    Args:
        path: of the log.
        lines: how many it has.
    """
    return lines > 1 or os.path.lexists(beside(path)[0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _cut(field: str, text: str) -> str:
    """What is not UTF-8 becomes an escape, and a text that is too long ends in an ellipsis."""
    text, longest = readable(text), _LONGEST[field]
    return text if len(text) <= longest else text[: longest - 1] + "…"
