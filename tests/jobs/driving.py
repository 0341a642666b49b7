"""Processes recordings as a job does, one segment after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contracts.recording import Recording
from engine.jobs.chain import process_segment
from engine.jobs.joining import Joined, Part, join
from engine.jobs.pieces import Piece
from engine.jobs.plan import Plan, plan_recording, read_chain
from engine.jobs.warm import Warm


@dataclass
class Processed:
    """A recording that is finished."""

    part: Part
    pieces: list[Piece]


def process(recording: Recording, folder: Path, warm: Warm, seconds: float) -> Processed:
    """Process a recording in segments of so many seconds; at most 30 are needed."""
    plan = plan_recording(recording, warm.config, seconds)
    return finish(plan, recording, folder, warm)


def finish(plan: Plan, recording: Recording, folder: Path, warm: Warm) -> Processed:
    """Process what a plan asks for, and what that asks for."""
    todo, directories, pieces = list(plan.segments), list[Path](), list[Piece]()
    while todo:
        for segment in todo:
            directories.append(folder / recording.name / f"{len(directories):03d}")
            pieces.append(process_segment(recording, segment, directories[-1], warm))
            assert len(pieces) < 30, [piece.segment for piece in pieces]
        chain, _ = read_chain(plan, directories)
        assert chain.is_whole or chain.todo
        todo = list(chain.todo)
    return Processed(Part(plan, directories), pieces)


def joined(target: Path, warm: Warm, processed: Sequence[Processed]) -> Joined:
    """Join recordings into a directory."""
    return join(target, warm.config, [one.part for one in processed])
