"""Checks that the audit log is whole: each line holds the hash of the one before, and the last is the last that was written.

The chain reveals changed, removed, inserted or moved lines; the head beside the log reveals lines missing at the end. Anybody
who can write both files can forge a whole log, and no file on the same disk can reveal that: keep the hash from a ``verify``
elsewhere now and then, and check with ``holds`` that the log still contains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.audit.entries import Entry
from engine.audit.log import ENGINE, GAP, REPAIR, Head, beside, is_head_lost, read_head
from engine.contracts.hash_chain import FIRST, decode, hash_of
from engine.errors import AuditError
from engine.words.numbers import count


@dataclass(frozen=True)
class Verdict:
    """The result of a check."""

    lines: int
    """Number of intact lines, up to the first fault."""
    sha256: str
    """Hash of the last of them: keep it elsewhere, to check with ``holds`` later."""
    faults: tuple[str, ...] = ()
    """Sentences; none: the log is whole."""
    notes: tuple[str, ...] = ()
    """Remarks that are no faults: an unfinished line after a power cut, and how often one was cut off."""


def verify(path: Path, holds: str = "") -> Verdict:
    """Read a log from its beginning to its end; nothing is changed, and writers need not stop.

    Args:
        path: the file.
        holds: a hash of an earlier verdict, which must be that of a line.

    Raises:
        AuditError: it cannot be read.
    """
    head = read_head(path)  # first: a line that is written meanwhile comes after it
    hashes, repairs, is_broken = [FIRST], 0, False
    faults, notes = list[str](), list[str]()
    for number, line in enumerate(_lines(path), start=1):
        if not line.endswith(b"\n"):
            notes.append(f"ends in {count(len(line), 'byte')} of a line that was never finished: the next one cuts that off")
            break
        entry = decode(line, Entry)
        if entry is None or entry.number != number - 1 or entry.before != hashes[-1]:
            faults.append(f"line {number} {_why(entry, number - 1)}")
            is_broken = True
            break
        hashes.append(hash_of(line))
        if entry.who == ENGINE:
            repairs += entry.did == REPAIR
            faults += [f"line {number} says: {entry.detail}"] if entry.did == GAP else []
    lines = len(hashes) - 1
    if head is not None and not is_broken:
        faults += _wrong_end(head, hashes)
    if head is None and is_head_lost(path, lines):
        faults.append(f"{beside(path)[0].name} is missing or damaged: nothing says where the log should end")
    if holds and holds.lower() not in hashes:
        faults.append(f"no line has the hash {holds}: this is another log, or it was cut off before that line")
    if repairs:
        notes.append(f"the end of a line was cut off {count(repairs, 'time')} after a power cut")
    return Verdict(lines, hashes[-1], tuple(faults), tuple(notes))


def _why(entry: Entry | None, number: int) -> str:
    """Return what is wrong with the entry of a line that should have this number, from 0."""
    if entry is None:
        return "is not as it was written: it was changed"
    if entry.number != number:
        return "has the wrong number: lines before it were removed, inserted or moved"
    return "does not hold the hash of the line before: one of the two was changed"


def _wrong_end(head: Head, hashes: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the end of a log by its head; ``hashes`` are those of its lines, after ``FIRST``."""
    missing = head.lines - (len(hashes) - 1)
    if missing > 0:
        are_missing = "1 is missing" if missing == 1 else f"{missing} are missing"
        yield f"there should be {count(head.lines, 'line')}, but there are {len(hashes) - 1}: {are_missing} at the end"
    elif hashes[head.lines] != head.sha256:
        yield f"line {head.lines} is not the one that was written"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise AuditError(f"cannot read the audit log {path}: {error.strerror}") from error
