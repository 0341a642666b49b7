"""The chain itself: is each block what was written, does it follow the one before, and who has signed it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from engine.archive.chain import CHAIN, Block, chain_lines, signed_text
from engine.archive.ledger import Ledger
from engine.archive.vector_files import row_bytes
from engine.contracts.hash_chain import FIRST, decode, hash_of
from engine.exhibit.rules import only_corrects, out_of_place, went_too_early
from engine.exhibit.verdict import Fault, Verdict
from engine.keys.signing import can_sign, is_signed_by
from engine.words.numbers import count
from engine.words.times import utc_words

_WORDS = {"erase": "an erasure", "expire": "an expiry", "resume": "a resumed run", "restart": "a restarted publisher"}


class ChainReader:
    """Reads a chain from its beginning, and tells a verdict what it finds.

    Args:
        verdict: is told.
        keys: public keys that may have signed; empty: that of the first block, if it is signed.
        holds: a head of an earlier verdict, or the hash of a block, as a receipt has it: the chain must still have it.
    """

    def __init__(self, verdict: Verdict, keys: Collection[str], holds: str) -> None:
        self._verdict, self._keys, self._holds = verdict, list(keys), holds.lower()
        self._must_be_signed = bool(keys)
        self.ledger = Ledger()
        self.is_broken = False
        """From somewhere on nothing can be compared with it."""
        self.last: Block | None = None
        self.blocks: list[Block] = []
        """All that say more than that lines have come."""

    def read(self, directory: Path) -> None:
        """Read all of it.

        Raises:
            OSError: it cannot be read.
        """
        before, seen = FIRST, not self._holds
        for number, line in enumerate(chain_lines(directory)):
            if not line.endswith(b"\n"):
                if self.last is not None:
                    self._torn(len(line), self.last)
                break
            if why := self._fits(block := decode(line, Block), number, before):
                self._fault(f"line {number + 1} {why}", number)
                self.is_broken = True
                break
            assert block is not None
            before = hash_of(line)
            seen |= self._holds in (before, block.hash)
            self._verdict.blocks, self._verdict.head, self.last = number + 1, before, block
            self._check_signature(block)
            self._tell(block)
        if self.last is None and not self.is_broken:
            self._fault("holds no complete block: it was emptied or cut, or the run was killed before it wrote one", -1)
        if not seen:
            self._fault(f"no block has the hash {self._holds}: this is another chain, or it was cut off before that block", -1)

    def _fits(self, block: Block | None, number: int, before: str) -> str:
        if block is None or not block.is_itself:
            return "was changed: it is not as it was written"
        if block.number != number:
            return f"is block {block.number}: blocks before it were removed, inserted or moved"
        if block.before != before:
            return "does not hold the hash of the block before: one of the two was changed"
        last = self.blocks[-1] if self.blocks else None
        if odd := out_of_place(self.ledger, last, block):
            return f"{odd}: no run and no erasure writes such a block"
        try:
            early = list(went_too_early(self.ledger, block))
            self.ledger.apply(block)
        except ValueError as error:
            return f"does not follow from the blocks before: {error}"
        for name, sealed, why in early:
            told = f"something in it went by an expiry at {utc_words(block.at_ns)}, which was no expiry: {why}"
            self._verdict.faults.append(Fault(name, told, self.ledger.times[sealed], sealed))
        return ""

    def _check_signature(self, block: Block) -> None:
        if not block.key:
            if self._must_be_signed and only_corrects(block):
                self._verdict.unsigned_corrections += 1
                self._verdict.notes.append(f"block {block.number}: corrections by {block.who or 'somebody'} are not signed")
            elif self._must_be_signed:
                what = _WORDS.get(block.why, "")
                by = f"that {what} has written at {utc_words(block.at_ns)}" if what else f"of {utc_words(block.at_ns)}"
                self._fault(
                    f"block {block.number}, {by}, is not signed: anybody who can write here can have made it", block.number
                )
            return
        if not self._keys:
            self._keys.append(block.key)
        if block.number == 0:
            self._must_be_signed = True
        if block.key not in self._verdict.keys:
            self._verdict.keys.append(block.key)
            if block.key not in self._keys:
                self._fault(f"block {block.number} is signed by another key, {block.key}: see --public-key", block.number)
        if not can_sign():
            self._verdict.signatures_checked = False
        elif is_signed_by(block.key, signed_text(block.hash), block.signature):
            self._verdict.signed += 1
        else:
            self._fault(f"block {block.number} has a signature that does not match its key", block.number)

    def _tell(self, block: Block) -> None:
        notes, when = self._verdict.notes, utc_words(block.at_ns)
        if block.kind == "begun" and block.run_id not in self._verdict.attempts:
            self._verdict.attempts.append(block.run_id)
        if block.kind in ("begun", "ended"):
            self._verdict.outcome = block.outcome
        if block.kind == "cut" and block.why in ("erase", "expire"):
            by = f" by {block.who}" if block.who else ""
            notes.append(f"block {block.number}: {_WORDS[block.why]}{by} at {when} has taken something out")
        for fault in block.faults:
            name, _, what = fault.partition(": ")
            told = f"{what or fault}, as {_WORDS.get(block.why, 'somebody')} found at {when}"
            self._verdict.faults.append(Fault(name, told, block.at_ns, block.number))
        for name, lines in block.lost.items():
            kind = "vector" if row_bytes(name) else "line"
            lost = f"its last {count(lines, f'{kind} was', f'{kind}s were')} missing"
            notes.append(f"{name}: {lost} when the run was resumed at {when}, as after a power cut")
        if block.kind != "sealed":
            self.blocks.append(block)

    def _torn(self, length: int, last: Block) -> None:
        if last.kind != "ended":
            self._verdict.notes.append(f"{CHAIN} ends in {length} bytes of a block that was never finished, as after a kill")
        else:
            self._fault(f"{length} bytes were added after its last block", -1)

    def _fault(self, what: str, number: int) -> None:
        times = self.ledger.times
        at_ns = times[number] if 0 <= number < len(times) else 0
        self._verdict.faults.append(Fault(CHAIN, what, at_ns, number, number + 1 if number >= 0 else 0))
