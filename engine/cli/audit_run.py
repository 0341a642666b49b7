"""What ``facestream audit DIR`` says about a result."""

from __future__ import annotations

from engine.cli.saying import say
from engine.exhibit.status import status_of
from engine.exhibit.verdict import Verdict
from engine.words.numbers import count

_MOST_FAULTS = 20


def say_run(found: Verdict, holds: str = "") -> None:
    """Print what is known, the verdict last.

    Args:
        found: all of it; of a hash that is gone there is a fault.
        holds: the hash that was asked for, if any.
    """
    for sentence in found.notes:
        say(f"note: {sentence}")
    for fault in found.faults[:_MOST_FAULTS]:
        say(f"BROKEN: {fault.sentence}")
    if len(found.faults) > _MOST_FAULTS:
        say(f"and {len(found.faults) - _MOST_FAULTS} more: see --json")
    if found.went:
        say(f"{count(found.went, 'picture was', 'pictures were')} deleted by retention, as the run's settings ask")
    if not found.signatures_checked:
        say("the signatures were not checked: pip install 'facestream[exhibit]'")
    if found.head:
        pictures = count(found.pictures, "picture", "pictures")
        say(f"as written: {count(found.pieces, 'line or vector', 'lines and vectors')}, {pictures}")
        say(f"the last of {count(found.blocks, 'block', 'blocks')} has the SHA-256 {found.head}")
    if holds and found.head and not any(holds.lower() in fault.what for fault in found.faults):
        say(f"the chain still has the block {holds.lower()}")
    say(f"{found.directory} is {status_of(found).sentence}")
