"""May what went have gone? What a chain says of retention is held against the rule by which it went, and against when it came.

A line was surely written after the block before the one that holds it. Where that block is younger than anything may be that
goes by age, it was no retention. Where sizes were bounded too, or alone, nothing can be said of single lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.archive.chain import Block, Edit, Keep
from engine.archive.ledger import Ledger, Pieces

_AGED = ("faces.jsonl", "tracks.jsonl", "stream.jsonl")
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


def went_too_early(ledger: Ledger, block: Block) -> Iterator[tuple[str, int, str]]:
    """Yield of what an expiry says it took out, and what was too young for that: the file, the number of the block that vouches
    for it, and why. Call it before the ledger takes the block."""
    if block.kind != "cut" or block.why != "expire":
        return
    for name, edits in block.edits.items():
        if name not in _AGED:
            continue
        held = ledger.files.get(name, Pieces())
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
