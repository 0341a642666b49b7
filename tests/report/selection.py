"""Tracks of a run in memory, with what there is to count, as a test looks at them."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.archive.reader import TrackRecord
from engine.contracts.findings import Decision
from engine.report.track_index import TrackIndex


@dataclass
class Selection:
    """The tracks to show, and totals over all of them."""

    records: list[TrackRecord]
    """In the order of ``TrackIndex.tracks``."""
    tracks: int = 0
    faces: int = 0
    decisions: Counter[Decision] = field(default_factory=Counter)


def select_tracks(directory: Path, most: int, faces_per_track: int) -> Selection:
    """Return the ``most`` tracks that matter most, each with its best faces, see ``TrackIndex.record``.

    Raises:
        PublishError: a file cannot be read.
    """
    with closing(TrackIndex(directory)) as index:
        records = [index.record(track, faces_per_track) for track in islice(index.tracks(), most)]
        return Selection(records, index.decisions.total(), index.faces, index.decisions)
