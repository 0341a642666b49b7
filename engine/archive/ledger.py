"""Follows a chain, block by block, to what the files of the directory must consist of."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.archive.chain import Block, Edit, Keep
from engine.archive.vector_files import row_bytes

DIGEST_BYTES = 32
GONE = bytes(DIGEST_BYTES)
"""Of a vector that was overwritten with zeros, as the digest of zeros is."""


@dataclass(frozen=True)
class Removal:
    """Something was to go by retention."""

    at_ns: int
    block: int
    keep: Keep | None
    """The rule; None: there was none."""


@dataclass
class Pieces:
    """What one file must consist of."""

    digests: bytearray = field(default_factory=bytearray)
    """The SHA-256 of each piece, 32 bytes."""
    blocks: array[int] = field(default_factory=lambda: array("q"))
    """The number of the block that holds it."""
    size_bytes: int = 0
    emptied_bytes: int = 0
    """Up to here retention was to empty the file."""
    emptied_by: Removal | None = None

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, place: int) -> bytes:
        return bytes(self.digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES])


class Ledger:
    """What the blocks up to now say."""

    def __init__(self) -> None:
        self.files: dict[str, Pieces] = {}
        self.times: list[int] = []
        """When each block was written (Unix, nanoseconds)."""
        self.removed: dict[str, Removal] = {}
        """Folders whose pictures went by retention."""
        self.keep: Keep | None = None
        """What may go by itself while the run goes on."""
        self.is_open = False
        """A run writes, or was killed: lines may have come that no block vouches for yet."""
        self.run, self.run_before = "", ""
        """SHA-256 of ``run.json``, and what it was before."""

    def apply(self, block: Block) -> None:
        """Take the next block.

        Raises:
            ValueError: it speaks of pieces that there are not.
        """
        self.times.append(block.at_ns)
        if block.kind == "begun":
            self.keep = block.keep
        removal = Removal(block.at_ns, block.number, block.keep or self.keep)
        for name, edits in block.edits.items():
            self._edit(name, edits, block.number)
        for name, spans in block.cleared.items():
            self._clear(name, spans)
        for name, new in block.pieces.items():
            held = self.files.setdefault(name, Pieces())
            held.digests += b"".join(map(_digest, new))
            held.blocks.extend([block.number] * len(new))
        for name, size in block.sizes.items():
            self.files.setdefault(name, Pieces()).size_bytes = size
        for name, until in block.emptied.items():
            held = self.files.setdefault(name, Pieces())
            if until > held.emptied_bytes:
                held.emptied_bytes, held.emptied_by = until, removal
            if length := row_bytes(name):
                self._clear(name, [(0, min(until // length, len(held)))])
        if block.kind in ("begun", "ended") or block.why in ("erase", "expire"):
            self.is_open = block.kind == "begun"
        self.removed |= dict.fromkeys(block.removed, removal)
        if block.run:
            self.run, self.run_before = block.run, self.run

    def _edit(self, name: str, edits: Sequence[Edit], number: int) -> None:
        held, new = self.files.setdefault(name, Pieces()), Pieces()
        check_spans(name, edits, len(held))
        for edit in edits:
            if isinstance(edit, str):
                new.digests += _digest(edit)
                new.blocks.append(number)
            else:
                start, end = edit
                new.digests += held.digests[start * DIGEST_BYTES : end * DIGEST_BYTES]
                new.blocks.extend(held.blocks[start:end])
        held.digests, held.blocks, held.emptied_bytes = new.digests, new.blocks, 0

    def _clear(self, name: str, spans: Sequence[tuple[int, int]]) -> None:
        held = self.files.setdefault(name, Pieces())
        check_spans(name, spans, len(held))
        for start, end in spans:
            held.digests[start * DIGEST_BYTES : end * DIGEST_BYTES] = bytes((end - start) * DIGEST_BYTES)


def check_spans(name: str, spans: Sequence[Edit], count: int) -> None:
    """Refuse spans that are not one behind the other within so many pieces: what a block makes us do ends with them.

    Args:
        name: of the file.
        spans: from one piece up to another; a text is a new piece.
        count: of the pieces.

    Raises:
        ValueError: they are not.
    """
    at = 0
    for start, end in (span for span in spans if not isinstance(span, str)):
        if not at <= start <= end <= count:
            raise ValueError(f"{name} has no pieces {start} to {end} behind {at}")
        at = end


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"{text} is not a SHA-256")
    return digest
