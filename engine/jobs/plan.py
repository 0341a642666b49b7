"""A recording as a job: how it is cut, and what the directories of its segments make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.config import Config
from engine.contracts.recording import Recording
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.jobs.joins import Chain, Done, chain_of
from engine.jobs.pieces import Piece, read_piece, read_points
from engine.jobs.scan import Scan, scan
from engine.jobs.segments import Segment, segments_of


class Plan(msgspec.Struct, frozen=True):
    """How a recording is processed."""

    stream: str
    path: str
    """As it was given."""
    input: dict[str, Any]
    """``Recording.facts``, and ``sha256`` where the files could be read."""
    scan: Scan
    segments: list[Segment]
    """They overlap where they are joined."""


def plan_recording(recording: Recording, config: Config, seconds: float, alive: Callable[[], None] = lambda: None) -> Plan:
    """Read a recording once, without decoding it, and return how it is cut.

    Args:
        recording: of any kind; one that cannot be read has one segment, which says why.
        config: of the job.
        seconds: that a segment should have; infinite: it is not cut.
        alive: called now and then.
    """
    facts = recording.facts()
    with suppress(OSError):  # whoever reads it says so
        facts["sha256"] = recording.sha256(alive)
    found = scan(recording, config.decode, alive)
    return Plan(recording.name, recording.place, facts, found, segments_of(found, seconds))


def read_chain(plan: Plan, directories: Iterable[Path]) -> tuple[Chain, dict[Segment, tuple[Path, Piece]]]:
    """Return how far a recording has come, and what was processed of it, with the directory of each piece.

    Args:
        plan: of the recording.
        directories: of its segments, those of ``Chain.todo`` among them; one that is not whole counts as not there.

    Raises:
        PublishError: a directory cannot be read.
    """
    pieces, done = dict[Segment, tuple[Path, Piece]](), dict[Segment, Done]()
    for directory in directories:
        if (read := read_done(directory)) is not None:
            piece, done[read[0].segment] = read
            pieces[piece.segment] = directory, piece
    return chain_of(plan.segments, done, plan.scan.keys), pieces


def read_done(directory: Path) -> tuple[Piece, Done] | None:
    """Return what became of a segment; None: its directory is not whole.

    Raises:
        PublishError: it cannot be read.
    """
    if (piece := read_piece(directory)) is None:
        return None
    try:
        points = {point.frame_index: point for point in read_points(directory)}
    except (OSError, *UNREADABLE) as error:
        raise PublishError(f"the join points in {directory} cannot be read ({error}): remove it to process it again") from error
    return piece, Done(piece.ending, piece.last_frame, points)
