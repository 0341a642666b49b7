"""May what went have gone? What a chain says of retention is held against the rule by which it went, and against when it came.

A line was surely written after the block before the one that holds it. Where that block is younger than anything may be that
goes by age, it was no retention. Where sizes were bounded too, or alone, nothing can be said of single lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.archive.chain import Block, Edit, Keep
from engine.archive.checkpoints import PROGRESS
from engine.archive.ledger import Ledger, Pieces, check_spans
from engine.archive.pieces import CORRECTIONS, REJECTED

_AGED = ("faces.jsonl", "tracks.jsonl", "stream.jsonl", REJECTED)
"""What goes by age; notes on progress and what people have said are only set right with it."""
_DAY_NS = 86_400 * 10**9
_SLACK_NS = 120 * 10**9
"""For a clock that is set while a run goes on."""


def too_young(keep: Keep | None, written_ns: int, went_ns: int) -> str:
    """Return why something may not have gone by a rule; empty: it may have.

    Args:
        keep: the rule; None: there was none.
        written_ns: so old it is at most: it was written then, or later.
        went_ns: when it went.
    """
    if keep is None or keep.keeps_all:
        return "nothing was to go by age or size"
    if not keep.least_days or written_ns + keep.least_days * _DAY_NS <= went_ns + _SLACK_NS:
        return ""
    if written_ns > went_ns + _SLACK_NS:
        return ""  # a clock was wrong: nobody can say
    return f"it was to stay for {keep.least_days:g} days, and was at most {(went_ns - written_ns) / _DAY_NS:.2f} days old"


def only_corrects(block: Block) -> bool:
    """Whether a block does nothing but vouch for what people have said."""
    nothing_went = not (block.edits or block.cleared or block.removed or block.emptied or block.run or block.keep)
    return block.kind == "corrected" and nothing_went and set(block.pieces) <= {CORRECTIONS}


def out_of_place(ledger: Ledger, before: Block | None, block: Block) -> str:
    """Return what a block says that no program would at this place; empty: nothing. Call it before the ledger takes the block.

    Args:
        ledger: what the blocks before say.
        before: the last one of them that is not ``sealed``; None: there is none.
        block: the next one.
    """
    if block.kind == "corrected" and not only_corrects(block):
        return "is of corrections, but says more"
    if block.kind not in ("found", "cut") and (block.edits or block.cleared):
        return "says that something was removed, but not why"
    if block.kind == "cut" and (before is None or before.kind != "found" or before.why != block.why):
        return "says what was left, but nothing was checked before"
    if block.kind == "sealed" and block.pieces and not ledger.is_open:
        return "vouches for what was added while no run was active"
    if block.kind == "cut" and block.why == "resume":
        new = [name for name, edits in block.edits.items() if any(isinstance(edit, str) for edit in edits)]
        if any(name != PROGRESS for name in new):
            return "says that a resumed run has changed lines"
    return ""


def went_too_early(ledger: Ledger, block: Block) -> Iterator[tuple[str, int, str]]:
    """Yield of what an expiry says it took out, and what was too young for that: the file, the number of the block that vouches
    for it, and why. Call it before the ledger takes the block.

    Raises:
        ValueError: it speaks of pieces that there are not.
    """
    if block.kind != "cut" or block.why != "expire":
        return
    for name, edits in block.edits.items():
        if name not in _AGED:
            continue
        held = ledger.files.get(name, Pieces())
        check_spans(name, edits, len(held))
        newest = max((held.blocks[place] for place in _gone(len(held), edits)), default=-1)
        if newest > 0 and (why := too_young(block.keep, ledger.times[newest - 1], block.at_ns)):
            yield name, newest, why


def _gone(count: int, edits: Sequence[Edit]) -> Iterator[int]:
    at = 0
    for edit in edits:
        if not isinstance(edit, str):
            yield from range(at, edit[0])
            at = edit[1]
    yield from range(at, count)
