"""Are the pictures and vectors of a run's lines those that the lines speak of?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from engine.archive.comparison import Compared
from engine.archive.files import inside
from engine.archive.ledger import GONE, Ledger
from engine.archive.pieces import REJECTED, digest, pieces
from engine.archive.record_check import RECORDS, Record, size_of
from engine.contracts.times import UnixNs
from engine.contracts.unreadable import UNREADABLE
from engine.exhibit.rules import too_young
from engine.exhibit.verdict import Fault, Verdict
from engine.words.times import utc_words

_AT_ONCE, _THREADS = 256, 2
_LARGEST_BYTES = 64 << 20
_NONE = -1
_PICTURED = (*RECORDS, REJECTED)


class _Line(Record, frozen=True):
    """What is looked at of a line."""

    sent_ns: UnixNs = 0


_DECODER = msgspec.json.Decoder(_Line)


class _Payloads:
    """Checks one line after the other."""

    def __init__(self, directory: Path, ledger: Ledger, verdict: Verdict) -> None:
        self._directory, self._ledger, self._verdict = directory, ledger, verdict
        self.named: set[str] = set()

    def check(self, name: str, number: int, block: int, line: bytes, found: dict[str, str | None]) -> None:
        """Compare one line, if a block vouches for it; ``found``: of each picture its SHA-256, None where it is not there."""
        record = _decoded(line)
        if record is None:
            return
        if block == _NONE:
            self.named.update(record.files.values())
            return
        at_ns = self._ledger.times[block]
        for part in record.parts:
            if part.name == "embedding":
                if not self._has_vector(record, part.sha256):
                    what = f"line {number} names a vector that is not there as it was"
                    self._verdict.faults.append(Fault(name, what, at_ns, block, number))
                continue
            path = record.files.get(part.name, "")
            self.named.add(path)
            now = found.get(path)
            if now == part.sha256:
                self._verdict.pictures += 1
            elif now is not None:
                self._verdict.faults.append(Fault(path, f"it was changed ({name}, line {number})", at_ns, block))
            elif name == REJECTED and path.rpartition("/")[0] in self._ledger.removed:
                continue  # by number as by age: likelier ones have come
            elif why := self._why_gone(path, record.sent_ns):
                self._verdict.faults.append(Fault(path, f"it is missing ({name}, line {number}){why}", at_ns, block))
            else:
                self._verdict.went += 1

    def _why_gone(self, path: str, sent_ns: int) -> str:
        """Return what speaks against retention, empty: nothing."""
        removal = self._ledger.removed.get(path.rpartition("/")[0])
        if removal is None:
            return ", and no retention has deleted it"
        why = too_young(removal.keep, sent_ns, removal.at_ns)
        return f": it went at {utc_words(removal.at_ns)}, which was no retention: {why}" if why else ""

    def _has_vector(self, record: Record, sha256: str) -> bool:
        row = record.embedding
        held = self._ledger.files.get(row.file) if row is not None else None
        if row is None or held is None or not 0 <= row.row < len(held):
            return False
        return held[row.row] == GONE or held[row.row].hex() == sha256


def check_payloads(
    directory: Path,
    ledger: Ledger,
    told: dict[str, Compared],
    verdict: Verdict,
    progress: Callable[[float], None],
) -> None:
    """Compare the pictures and vectors of all lines that are as they were written; what is found is told to ``verdict``.

    Args:
        directory: of the run.
        ledger: what its chain says.
        told: how its files compare with that; a file of lines that was changed is looked at as far as it was not.
        verdict: is told.
        progress: called with the share that is done, 0 to 1.

    Raises:
        OSError: a file cannot be read, other than by not being there.
    """
    total, done = max(1, sum(size_of(directory / name) for name in _PICTURED)), 0
    payloads = _Payloads(directory, ledger, verdict)
    with ThreadPoolExecutor(_THREADS, "audit") as pool:
        for name in _PICTURED:
            lines = _numbered(directory / name, ledger, told.get(name, Compared()))
            while chunk := list(islice(lines, _AT_ONCE)):
                wanted = [_pictures(line) for _, _, line in chunk]
                for (number, block, line), found in zip(
                    chunk, pool.map(lambda names: _hashes(directory, names), wanted), strict=True
                ):
                    payloads.check(name, number, block, line, found)
                done += sum(len(line) for _, _, line in chunk)
                progress(min(1.0, done / total))
    _unnamed(directory, payloads.named, verdict)


def _numbered(path: Path, ledger: Ledger, compared: Compared) -> Iterator[tuple[int, int, bytes]]:
    """Yield the lines: the number, from 1, the block that vouches for it, or ``_NONE``, and the line."""
    held = ledger.files.get(path.name)
    if held is None or not path.is_file():
        return
    known = {held[place]: held.blocks[place] for place in range(compared.skipped, len(held))} if compared.differences else {}
    for number, line in enumerate(pieces(path)):
        place = number + compared.skipped
        if known:
            yield number + 1, known.get(digest(line), _NONE), line
        else:
            yield number + 1, held.blocks[place] if place < len(held) else _NONE, line


def _pictures(line: bytes) -> list[str]:
    record = _decoded(line)
    return [] if record is None else [record.files[part.name] for part in record.parts if part.name in record.files]


def _hashes(directory: Path, names: list[str]) -> dict[str, str | None]:
    return {name: _sha256(directory, name) for name in names}


def _sha256(directory: Path, name: str) -> str | None:
    try:
        path = inside(directory, name)
        if path is None or not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.sha256(file.read(_LARGEST_BYTES)).hexdigest()
    except (OSError, ValueError):  # it cannot be read, or is not a name of a file
        return None


def _unnamed(directory: Path, named: set[str], verdict: Verdict) -> None:
    """Say that there are pictures which no line names: they may be of a worker that died, or have been put in."""
    there = (path for path in (directory / "faces").rglob("*") if path.is_file())
    if count := sum(path.relative_to(directory).as_posix() not in named for path in there):
        which = "one of the pictures there, so it is" if count == 1 else f"{count} of the pictures there, so they are"
        verdict.notes.append(f"faces: no line names {which} no part of the result, as after a kill")


def _decoded(line: bytes) -> _Line | None:
    try:
        return _DECODER.decode(line)
    except UNREADABLE:
        return None
