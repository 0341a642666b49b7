"""The chain of a run in a few words, for a page that shows a result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.exhibit.verdict import Verdict
from engine.exhibit.verify import verify


@dataclass(frozen=True)
class ChainStatus:
    """Is what a page shows still what was written, and who vouches for it."""

    is_whole: bool
    sentence: str
    """For a reader who has never seen the program."""
    head: str
    """SHA-256 of the last block, 64 hexadecimal digits: the result as a whole; empty where there is no chain."""
    blocks: int
    keys: tuple[str, ...]
    """Public keys (Ed25519, 64 hexadecimal digits) that have signed; none: it is not signed."""
    signatures_checked: bool
    """False: there are signatures that could not be checked here, as the package for it is not installed."""
    faults: tuple[str, ...]
    """Sentences, the earliest first."""
    notes: tuple[str, ...]
    """What is to be told and is no fault, as what retention has deleted."""
    unsigned_corrections: int = 0
    """Blocks of a signed chain that hold only what people have said, and that nobody has signed."""


def chain_status(directory: str | Path) -> ChainStatus:
    """Compare a run's directory with its chain; every picture is read, so it takes about as long as reading the directory.

    Raises:
        MissingResultError: there is no such directory, or it holds nothing of a run.
        PublishError: it cannot be read.
    """
    return status_of(verify(Path(directory)))


def status_of(verdict: Verdict) -> ChainStatus:
    """Return what a verdict amounts to."""
    return ChainStatus(
        is_whole=verdict.is_whole,
        sentence=_sentence(verdict),
        head=verdict.head,
        blocks=verdict.blocks,
        keys=tuple(verdict.keys),
        signatures_checked=verdict.signatures_checked,
        faults=tuple(fault.sentence for fault in verdict.faults),
        notes=tuple(verdict.notes),
        unsigned_corrections=verdict.unsigned_corrections,
    )


def _sentence(verdict: Verdict) -> str:
    if verdict.faults:
        more = len(verdict.faults) - 1
        others = f", and {more} more" if more else ""
        return f"not as it was written: {verdict.faults[0].sentence}{others}"
    if not verdict.keys:
        return "as it was written, by its own hashes; nobody has signed it"
    by = f"signed with the key {verdict.keys[0]}"
    checked = "" if verdict.signatures_checked else " (the signature was not checked here)"
    return f"as it was written, {by}{checked}"
