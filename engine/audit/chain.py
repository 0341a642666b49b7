"""Checks that the audit log is whole: each line holds the hash of the one before, and the last is the last that was written.

The chain reveals changed, removed, inserted or moved lines; the head beside the log reveals lines missing at the end. Anybody
who can write both files can forge a whole log, and no file on the same disk can reveal that: keep the hash from a ``verify``
elsewhere now and then, and check with ``holds`` that the log still contains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.audit.entries import Entry
from engine.audit.log import ENGINE, GAP, REPAIR, beside, read_head
from engine.contracts.hash_chain import FIRST, decode, hash_of
from engine.errors import AuditError
from engine.words.numbers import count


@dataclass(frozen=True)
class Verdict:
    """What was found."""

    lines: int
    """Whole ones, up to the first fault."""
    sha256: str
    """Of the last of them: keep it elsewhere to ask for it later."""
    faults: tuple[str, ...] = ()
    """Sentences; none: the log is whole."""
    notes: tuple[str, ...] = ()
    """What is told, and is no fault: the half line of a power cut, and how often one was cut off."""


def verify(path: Path, holds: str = "") -> Verdict:
    """Read a log from its beginning to its end; nothing is changed, and writers need not stop.

    Args:
        path: the file.
        holds: a hash of an earlier verdict, which must be that of a line.

    Raises:
        AuditError: it cannot be read.
    """
    head = read_head(path)  # first: a line that is written meanwhile comes after it
    lines, last, repairs, seen, broken = 0, FIRST, 0, {FIRST}, False
    faults: list[str] = []
    notes: list[str] = []
    at_head = FIRST if head is not None and head.lines == 0 else ""
    for line in _lines(path):
        if not line.endswith(b"\n"):
            notes.append(f"ends in {count(len(line), 'byte')} of a line that was never finished: the next one cuts that off")
            break
        entry = decode(line, Entry)
        if entry is None or entry.number != lines or entry.before != last:
            broken = True
            faults.append(f"line {lines + 1} {_why(entry is None, entry is not None and entry.number != lines)}")
            break
        lines, last = lines + 1, hash_of(line)
        if entry.who == ENGINE:
            repairs += entry.did == REPAIR
            faults += [f"line {lines} says: {entry.detail}"] if entry.did == GAP else []
        seen.add(last)
        if head is not None and lines == head.lines:
            at_head = last
    if not broken and head is not None and at_head != head.sha256:
        faults.append(
            f"there should be {count(head.lines, 'line')}, but there are {lines}: {_missing(head.lines - lines)} at the end"
            if lines < head.lines
            else f"line {head.lines} is not the one that was written"
        )
    if head is None and lines > 1:  # after the first a power cut may come before it
        faults.append(f"{beside(path)[0].name} is missing or damaged: nothing says where the log should end")
    if holds and holds.lower() not in seen:
        faults.append(f"no line has the hash {holds}: this is another log, or it was cut off before that line")
    if repairs:
        notes.append(f"the end of a line was cut off {count(repairs, 'time')} after a power cut")
    return Verdict(lines, last, tuple(faults), tuple(notes))


def _why(unreadable: bool, misnumbered: bool) -> str:
    if unreadable:
        return "is not as it was written: it was changed"
    if misnumbered:
        return "has the wrong number: lines before it were removed, inserted or moved"
    return "does not hold the hash of the line before: one of the two was changed"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise AuditError(f"cannot read the audit log {path}: {error.strerror}") from error


def _missing(lines: int) -> str:
    return "1 is missing" if lines == 1 else f"{lines} are missing"
