"""``chain.jsonl``: what a run has written, block by block, each with the hash of the one before.

A block holds the SHA-256 of every line and every vector that was appended since the block before, and of ``run.json`` where it
rewritten. Pictures are covered by their lines, which hold their SHA-256. A block also says what was removed: by a resumed run,
by retention, by an erasure. ``ledger.py`` follows the blocks; ``engine.exhibit`` compares the directory with them.

A block is written after what it vouches for, so a kill leaves a valid chain and a tail that no block vouches for yet.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from engine.contracts.times import Int64, UnixNs
from engine.keys.signing import SigningKey

CHAIN = "chain.jsonl"
_SIGNED = b"facestream/chain/1 "
"""What is signed is this and the hash of the block."""
_MOST_BYTES = 64 << 20
"""Of one block; longer ones are not ours."""
Kind = Literal["begun", "sealed", "found", "cut", "corrected", "ended"]
"""``begun``, ``ended``: an attempt. ``sealed``: lines and vectors. ``found``: the same, as somebody found them who was about to
go on, or to cut. ``cut``: what a resumed run, an erasure or an expiry has left. ``corrected``: lines of people."""
Why = Literal["", "resume", "restart", "erase", "expire"]
Edit = tuple[int, int] | str
"""From one old piece up to another, both by number, or the SHA-256 of a new one."""


class Keep(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What may go by age or size, as the settings said: days and gigabytes; 0: it stays."""

    pictures_days: float = 0.0
    pictures_gb: float = 0.0
    records_days: float = 0.0
    records_gb: float = 0.0
    vectors_days: float = 0.0
    strangers_days: float = 0.0

    @classmethod
    def of(cls, **given: float) -> Keep:
        """Return it with these, of whatever kind of number."""
        return cls(**{name: float(number) for name, number in given.items()})

    @property
    def least_days(self) -> float:
        """So old is all that may go; 0: nothing bounds it."""
        if self.pictures_gb or self.records_gb:
            return 0.0
        return min(filter(None, (self.pictures_days, self.records_days, self.vectors_days, self.strangers_days)), default=0.0)

    @property
    def keeps_all(self) -> bool:
        return self == Keep()


class Block(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of the chain."""

    number: Int64
    """Counts from 0."""
    at_ns: UnixNs
    """When it was written, by this machine's clock (Unix, nanoseconds)."""
    kind: Kind
    before: str
    """SHA-256 of the line before, with its line break."""
    version: str = ""
    """Of the program, where something begins."""
    run_id: str = ""
    outcome: str = ""
    why: Why = ""
    who: str = ""
    run: str = ""
    """SHA-256 of ``run.json`` from now on; empty: as before."""
    keep: Keep | None = None
    """What may go from now on, or went."""
    pieces: dict[str, list[str]] = {}
    """File to the SHA-256 of each piece that has come: a line with its line break, or a vector."""
    sizes: dict[str, int] = {}
    """File to its length in bytes, up to the last piece."""
    removed: list[str] = []
    """Folders of tracks whose pictures go by retention."""
    emptied: dict[str, int] = {}
    """File to the byte up to which retention empties it."""
    edits: dict[str, list[Edit]] = {}
    """File to what it consists of now."""
    cleared: dict[str, list[tuple[int, int]]] = {}
    """File to the vectors that are zeros now, from one up to another."""
    lost: dict[str, int] = {}
    """File to so many of its last pieces that a run which went on did not find any more, as after a power cut."""
    faults: list[str] = []
    """What did not fit the chain before this block was written."""
    key: str = ""
    """The public key that has signed it."""
    hash: str = ""
    """SHA-256 of the line without this and the signature."""
    signature: str = ""

    def finished(self, key: SigningKey | None) -> Block:
        """Return it with its hash, and the signature where there is a key."""
        plain = replace(self, key=key.public if key else "", hash="", signature="")
        whole = hashlib.sha256(msgspec.json.encode(plain)).hexdigest()
        return replace(plain, hash=whole, signature=key.sign(signed_text(whole)) if key else "")

    @property
    def is_itself(self) -> bool:
        """Whether nothing in it was changed since it was finished."""
        plain = replace(self, hash="", signature="")
        return hashlib.sha256(msgspec.json.encode(plain)).hexdigest() == self.hash


def signed_text(whole: str) -> bytes:
    """Return what is signed of a block with a hash."""
    return _SIGNED + whole.encode()


def chain_lines(directory: Path) -> Iterator[bytes]:
    """Yield the lines of a chain, the last perhaps without its line break; none where there is no chain.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with (directory / CHAIN).open("rb") as file:
            while line := file.readline(_MOST_BYTES):
                yield line
    except FileNotFoundError:
        return


def last_line(directory: Path) -> bytes:
    """Return the last whole line of a chain; empty where there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with (directory / CHAIN).open("rb") as file:
            start, tail = file.seek(0, os.SEEK_END), b""
            while start and tail.rpartition(b"\n")[0].count(b"\n") < 1:
                step = min(1 << 16, start)
                start = file.seek(start - step)
                tail = file.read(step) + tail
    except FileNotFoundError:
        return b""
    whole = tail.rpartition(b"\n")[0]
    return whole.rpartition(b"\n")[2] + b"\n" if whole else b""
