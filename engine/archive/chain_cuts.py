"""Removing part of a run: what the chain records before and after, so that it still matches what is left.

Before, everything is compared with the chain and mismatches are recorded, so that a removal cannot hide an earlier change.
After, the chain records what is left. A kill between the two leaves a directory whose chain says that a removal was under way;
doing it again finishes it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.archive.chain import CHAIN, Block, Keep, Why, chain_lines
from engine.archive.chain_writer import ChainWriter
from engine.archive.comparison import Compared, Difference, compare
from engine.archive.ledger import Ledger
from engine.archive.pieces import CORRECTIONS, size_of_pieces
from engine.contracts.hash_chain import decode
from engine.errors import PublishError
from engine.keys.signing import SigningKey
from engine.lock import DirectoryLock

_MOST_FAULTS = 20
_UNFINISHED: dict[Why, frozenset[str]] = {
    "resume": frozenset(["missing"]),
    "erase": frozenset(["missing", "emptied", "changed"]),
    "expire": frozenset(["missing", "emptied", "changed"]),
}
"""What may not fit where the last block says that something was about to go."""


def find(chain: ChainWriter, directory: Path, why: Why, who: str = "") -> None:
    """Compare everything with the chain before something of it goes, and write down what does not fit.

    Raises:
        OSError: a file cannot be read.
        PublishError: the chain is damaged.
    """
    before = chain.last
    expected = _UNFINISHED.get(before.why, frozenset()) if before is not None and before.kind == "found" else frozenset()
    ledger = ledger_of(directory)
    told = compare(directory, ledger)
    wrong = [one for each in told.values() for one in each.differences if one.what not in expected]
    lost: dict[str, int] = {}
    for one in list(wrong) if why == "resume" else []:
        if one.what == "missing" and one.piece - 1 + one.count == len(ledger.files[one.file]):
            wrong.remove(one)
            lost[one.file] = one.count
    faults = [f"{one.file}: {in_words(one)}" for one in wrong]
    if chain.last is not None and not ledger.is_open:
        faults += [
            f"{name}: added after the end of the run: {len(each.tail)}"
            for name, each in told.items()
            if each.tail and name != CORRECTIONS
        ]
    if len(faults) > _MOST_FAULTS:
        faults = [*faults[:_MOST_FAULTS], f"and {len(faults) - _MOST_FAULTS} more"]
    chain.add("found", why=why, who=who, faults=faults, lost=lost, **_now(directory, told))


def cut(chain: ChainWriter, directory: Path, why: Why, who: str = "", keep: Keep | None = None, run: str = "") -> None:
    """Write down what is left, and by which rule the rest went.

    Raises:
        OSError: a file cannot be read.
        PublishError: the chain is damaged.
    """
    told = compare(directory, ledger_of(directory))
    chain.add("cut", why=why, who=who, keep=keep, run=run, **_now(directory, told))


@dataclass
class Cutting:
    """Something is being taken out of a directory that has a chain."""

    chain: ChainWriter
    breaks_off: bool
    """The chain was signed, and this is not."""
    block: int = -1
    """Number of the block that says what was left, when it is done."""


@contextlib.contextmanager
def cutting(
    directory: Path, why: Why, who: str = "", key: SigningKey | None = None, keep: Keep | None = None
) -> Iterator[Cutting | None]:
    """Tell the chain of a directory what the caller is about to take out, and what is left; where that fails, only the former.
    None where there is no chain, or one that is damaged: that stays so, and keeps nothing from going. The caller holds the
    directory's lock.

    Args:
        directory: of a run.
        why: something goes.
        who: takes it out.
        key: signs that; None: it is not signed.
        keep: the rule by which it goes; None: there is none.

    Raises:
        OSError: a file cannot be read or written.
    """
    if not has_chain(directory):
        yield None
        return
    try:
        ledger_of(directory)
        opened = ChainWriter(directory, key, may_break_off=True)
    except PublishError:
        yield None
        return
    with contextlib.closing(opened) as chain:
        doing = Cutting(chain, key is None and chain.last is not None and bool(chain.last.key))
        find(chain, directory, why, who)
        chain.sync()
        yield doing
        if not (directory / CHAIN).is_file():
            return  # all of it went
        cut(chain, directory, why, who, keep, run=_sha256_of_run(directory))
        chain.sync()
        doing.block = -1 if chain.last is None else chain.last.number


def has_chain(directory: Path) -> bool:
    """Whether a directory has a chain."""
    return (directory / CHAIN).is_file() and not (directory / CHAIN).is_symlink()


def seal_corrections(directory: Path, who: str, key: SigningKey | None = None) -> bool:
    """Let the chain vouch for the lines that have come to ``corrections.jsonl``; return whether it does now: not while a run
    writes there, and not where there is no chain.

    Args:
        directory: of the run.
        who: has written them.
        key: signs that; None: it is not signed.

    Raises:
        OSError: a file cannot be read or written.
        PublishError: the chain is damaged.
    """
    if not has_chain(directory):
        return False
    try:
        lock = DirectoryLock(directory, wait_seconds=0.0)
    except PublishError:
        return False
    with contextlib.closing(lock), contextlib.closing(ChainWriter(directory, key, may_break_off=True)) as chain:
        chain.correct(directory, CORRECTIONS, who)
        chain.sync()
    return True


def ledger_of(directory: Path) -> Ledger:
    """Return what a chain says, without a look at its hashes.

    Raises:
        OSError: it cannot be read.
        PublishError: it is damaged.
    """
    ledger = Ledger()
    for line in chain_lines(directory):
        block = decode(line, Block)
        try:
            if block is None:
                raise ValueError("a block cannot be read")
            ledger.apply(block)
        except ValueError as error:
            raise PublishError(f"{directory / CHAIN} is damaged ({error}): see `facestream audit {directory}`") from error
    return ledger


def in_words(one: Difference) -> str:
    """Return a difference as half a sentence, without the file."""
    kind = "vector" if one.file.endswith(".f32") else "line"
    if one.count > 1:
        return f"{kind}s {one.piece} to {one.piece + one.count - 1} {'are' if one.what == 'missing' else 'were'} {one.what}"
    return f"{kind} {one.piece} {'is' if one.what == 'missing' else 'was'} {one.what}"


def _sha256_of_run(directory: Path) -> str:
    """Return the SHA-256 of ``run.json``, empty where there is none."""
    path = directory / "run.json"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _now(directory: Path, told: dict[str, Compared]) -> dict[str, Any]:
    """Return what a block says of files as they are now."""
    return {
        "edits": {name: each.edits for name, each in told.items() if each.is_cut},
        "emptied": {name: each.hole_bytes for name, each in told.items() if each.hole_bytes},
        "cleared": {name: each.cleared for name, each in told.items() if each.cleared},
        "pieces": {name: each.tail for name, each in told.items() if each.tail},
        "sizes": {name: size_of_pieces(directory / name) for name in told},
    }
