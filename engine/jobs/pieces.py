"""What is left of a segment that was processed: a directory like a run's, and beside it ``piece.json`` and ``points.jsonl``.

``piece.json`` is written last: where it is, the directory is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.archive.files import whole_lines
from engine.contracts.counts import Calls, Counts
from engine.contracts.streams import StreamChanged
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.jobs.segments import Segment
from engine.whole_file import write_whole

PIECE, POINTS = "piece.json", "points.jsonl"
Ending = Literal["joined", "end", "busy", "unfit"]
"""``joined``: at a join point; ``end``: with the recording, which may be a bad one; ``busy``: it met no join point in time;
``unfit``: reading did not begin where the plan says, as in a file whose index is wrong."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A frame after which nobody is followed: what comes after it does not depend on what came before.

    Two segments may be joined at a frame that is a point of both, if ``key`` says that both have read the same there.
    """

    frame_index: int
    pts: int | None
    seconds: float
    """By the recording's clock."""
    phase: int
    """Frames since the last that was marked for detection."""
    damaged: bool
    luma: int
    """CRC-32 of some of the frame's pixels."""
    next_track_id: int
    """Tracks up to here have smaller ids in this segment, those after it have not."""
    rejected: int = 0
    """Tracks of no face up to here."""
    decoded: dict[str, int] = {}
    """What the decoder had counted."""
    counts: Counts = Counts()
    """What perception had counted."""

    @property
    def key(self) -> tuple[object, ...]:
        """What two segments that go on in the same way have in common."""
        return self.frame_index, self.pts, self.seconds, self.phase, self.damaged, self.luma


class State(msgspec.Struct, frozen=True):
    """A state of the stream."""

    event: StreamChanged
    before_frame: int
    """Index of the frame that comes next."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a segment."""

    stream: str
    input: dict[str, Any]
    """``Recording.facts`` when it was read."""
    segment: Segment
    ending: Ending
    last_frame: int
    """Index of the last frame; one less than that of the first where there was none."""
    states: list[State] = []
    """All but the last."""
    end: StreamChanged | None = None
    """The last state, where the recording has ended; no verdict on the models' calls is in it yet."""
    detail_if_damaged: str = ""
    """Of ``end``, where the segment begins in the middle of the recording: if something before it is damaged."""
    calls: dict[str, Calls] = {}
    """Of all models, by stage."""
    decoded: dict[str, int] = {}
    """What the decoder counted."""
    counts: Counts = Counts()
    """What perception counted."""
    rejected: int = 0
    """Tracks of no face."""
    enhanced: Counts = Counts()
    """What enhancement and writing counted."""
    facts: dict[str, dict[str, str]] = {}
    """What the models are: of ``perceive`` and ``enhance``."""
    seconds: float = 0.0
    """That it took."""

    @property
    def frames(self) -> int:
        """How many were looked at."""
        return self.last_frame + 1 - self.segment.first_frame


def write_piece(directory: Path, piece: Piece) -> None:
    """Say that a directory is whole.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(directory / PIECE, msgspec.json.encode(piece) + b"\n")


def read_piece(directory: Path) -> Piece | None:
    """Return what a directory holds; None where there is none, or it is not whole.

    Raises:
        PublishError: it cannot be read, or was written by another version.
    """
    path = directory / PIECE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Piece)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PublishError(f"cannot read {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise PublishError(
            f"{path} is not what this version writes ({error}): remove {directory} to process it again"
        ) from error


def read_points(directory: Path) -> Iterator[Point]:
    """Yield the join points of a segment in their order.

    Raises:
        OSError: the file cannot be read.
        one of ``UNREADABLE``: it is damaged.
    """
    decoder = msgspec.json.Decoder(Point)
    for line in whole_lines(directory / POINTS):
        yield decoder.decode(line)
