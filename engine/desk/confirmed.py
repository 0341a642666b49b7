"""Who has confirmed a name: people's statements about tracks, as counted by an exhibit that requires two people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.archive.corrections import Correction, in_force, origin_of, read_corrections
from engine.archive.reader import recorded
from engine.exhibit.two_person import Confirmation


def confirmations_of(directory: Path) -> list[Confirmation]:
    """Return who has named which track of a run, oldest first. Left out are names that were undone or erased, and names given
    to a track before it was split off from its person.

    Raises:
        PublishError: the corrections cannot be read.
    """
    return confirmations(read_corrections([directory]), origin_of(recorded(directory)))


def confirmations(corrections: Sequence[Correction], origin: str) -> list[Confirmation]:
    """Do the same for corrections that have already been read, for the tracks of one directory."""
    said: list[Confirmation] = []
    for one in in_force(corrections):
        tracks = [(ref.stream, ref.track_id) for ref in one.tracks if ref.run == origin]
        if one.what == "name":
            said += [Confirmation(one.who, *track, one.name, takes_back=not one.name) for track in tracks]
        elif one.what == "split":  # whoever named the person before the split did not mean these tracks
            said = [earlier for earlier in said if (earlier.stream, earlier.track_id) not in tracks]
    return said
