"""Compares the files of a directory with what its chain says they contain."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.archive.chain import Edit
from engine.archive.files import first_data
from engine.archive.ledger import DIGEST_BYTES, GONE, Ledger, Pieces
from engine.archive.pieces import chained_files, digests
from engine.archive.vector_files import row_bytes

What = Literal["changed", "missing", "put in", "emptied"]


@dataclass(frozen=True)
class Difference:
    """One piece is not what the chain says."""

    file: str
    piece: int
    """From 1, as the file is now; of what is missing, as the chain has it."""
    what: What
    block: int
    """That vouches for it; of what was put in, that of the piece behind which it stands."""
    count: int = 1
    """So many together."""


@dataclass
class Compared:
    """A file beside the chain."""

    differences: list[Difference] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    """What the file consists of, in pieces of the chain; empty: of all of them."""
    cleared: list[tuple[int, int]] = field(default_factory=list)
    """Vectors that are zeros, and were not by the chain."""
    tail: list[str] = field(default_factory=list)
    """SHA-256 of the pieces behind the last that the chain has."""
    dropped: list[tuple[int, int]] = field(default_factory=list)
    """Pieces that are gone, from one up to another."""
    skipped: int = 0
    """So many of the first pieces are not there, as retention has emptied the file."""
    hole_bytes: int = 0
    """So much of the beginning of a file of lines is empty."""

    @property
    def is_cut(self) -> bool:
        """Whether it does not consist of the pieces of the chain any more."""
        return bool(self.dropped) or any(isinstance(edit, str) for edit in self.edits)


def compare(directory: Path, ledger: Ledger) -> dict[str, Compared]:
    """Compare every file that the chain speaks of, or could, with what it says.

    Raises:
        OSError: one cannot be read.
    """
    there = chained_files(directory)
    return {
        name: _compare(directory / name if name in there else None, name, ledger.files.get(name, Pieces()))
        for name in sorted({*there, *ledger.files})
    }


def _compare(path: Path | None, name: str, held: Pieces) -> Compared:
    found = digests(path) if path is not None else bytearray()
    if row_bytes(name):
        return _rows(name, held, found)
    hole = first_data(path) if path is not None else 0
    compared = _lines(name, held, found, may_begin_later=0 < hole <= held.emptied_bytes)
    compared.hole_bytes = hole
    if hole > held.emptied_bytes:
        compared.differences.insert(0, Difference(name, 1, "emptied", held.blocks[0] if held.blocks else 0))
    return compared


def _rows(name: str, held: Pieces, found: bytearray) -> Compared:
    """Vectors keep their places."""
    told, there = Compared(), len(found) // DIGEST_BYTES
    whole = min(there, len(held)) * DIGEST_BYTES
    if found[:whole] != held.digests[:whole]:
        for place in range(whole // DIGEST_BYTES):
            now, then = bytes(found[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]), held[place]
            was_to_go = then == GONE and (place + 1) * row_bytes(name) <= held.emptied_bytes  # a kill came before
            if now == then or was_to_go:
                continue
            what: What = "emptied" if now == GONE else "changed"
            told.differences.append(Difference(name, place + 1, what, held.blocks[place]))
            if now == GONE:
                _extend(told.cleared, place)
    if there < len(held):
        told.differences.append(Difference(name, there + 1, "missing", held.blocks[there], len(held) - there))
        told.dropped.append((there, len(held)))
        told.edits.append((0, there))
    told.tail = [found[at : at + DIGEST_BYTES].hex() for at in range(whole, len(found), DIGEST_BYTES)]
    return told


def _lines(name: str, held: Pieces, found: bytearray, *, may_begin_later: bool) -> Compared:
    """Lines may have gone from between others, or come."""
    told = Compared()
    if found[: len(held.digests)] == held.digests:
        told.tail = [found[at : at + DIGEST_BYTES].hex() for at in range(len(held.digests), len(found), DIGEST_BYTES)]
        return told
    places = _places(held)
    now = [bytes(found[at : at + DIGEST_BYTES]) for at in range(0, len(found), DIGEST_BYTES)]
    at, new = 0, list[tuple[int, bytes]]()
    is_first = may_begin_later
    for number, piece in enumerate(now):
        place = at if at < len(held) and held[at] == piece else _next(places, piece, at)
        if place is None:
            new.append((number, piece))
            continue
        _differ(told, name, held, at, place, new, skipped=is_first)
        new, is_first = [], False
        _keep(told.edits, place)
        at = place + 1
    if at < len(held):
        _differ(told, name, held, at, len(held), new, skipped=is_first)
    else:
        told.tail = [piece.hex() for _, piece in new]
    return told


def _differ(
    told: Compared, name: str, held: Pieces, start: int, end: int, new: list[tuple[int, bytes]], *, skipped: bool
) -> None:
    """Note that pieces ``start`` up to ``end`` of the chain have ``new`` in their place."""
    told.edits += [piece.hex() for _, piece in new]
    if skipped:  # what is before these was emptied by retention
        told.skipped = start = max(start, end - len(new))
    if start < end:
        told.dropped.append((start, end))
    pairs = min(len(new), end - start)
    told.differences += [Difference(name, new[n][0] + 1, "changed", held.blocks[start + n]) for n in range(pairs)]
    if start + pairs < end:
        told.differences.append(Difference(name, start + pairs + 1, "missing", held.blocks[start + pairs], end - start - pairs))
    if pairs < len(new):
        behind = held.blocks[min(start, len(held) - 1)] if held.blocks else 0
        told.differences.append(Difference(name, new[pairs][0] + 1, "put in", behind, len(new) - pairs))


def _places(held: Pieces) -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    for place in range(len(held)):
        places.setdefault(held[place], []).append(place)
    return places


def _next(places: dict[bytes, list[int]], piece: bytes, start: int) -> int | None:
    known = places.get(piece, [])
    place = bisect_left(known, start)
    return known[place] if place < len(known) else None


def _keep(edits: list[Edit], place: int) -> None:
    if edits and not isinstance(edits[-1], str) and edits[-1][1] == place:
        edits[-1] = (edits[-1][0], place + 1)
    else:
        edits.append((place, place + 1))


def _extend(spans: list[tuple[int, int]], place: int) -> None:
    if spans and spans[-1][1] == place:
        spans[-1] = (spans[-1][0], place + 1)
    else:
        spans.append((place, place + 1))
