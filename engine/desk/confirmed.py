"""Who has confirmed a name: what people have said of tracks, as an exhibit that asks for two of them counts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.archive.reader import recorded
from engine.desk.corrections import Correction, in_force, origin_of, read_corrections
from engine.exhibit.two_person import Confirmation


def confirmations_of(directory: Path) -> list[Confirmation]:
    """Return who has named which track of a run, in the order in which it was said; what was undone, or erased, is not in it.

    Raises:
        PublishError: the corrections cannot be read.
    """
    return confirmations(read_corrections([directory]), origin_of(recorded(directory)))


def confirmations(corrections: Sequence[Correction], origin: str) -> list[Confirmation]:
    """Return the same of corrections that were read, for the tracks of one directory."""
    return [
        Confirmation(one.who, ref.stream, ref.track_id, one.name, takes_back=not one.name)
        for one in in_force(corrections)
        if one.what == "name" and not one.erased
        for ref in one.tracks
        if ref.run == origin
    ]
