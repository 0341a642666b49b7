"""The life of a stream as it passes through the stages, in order with its faces."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from engine.contracts.counts import Calls
from engine.contracts.messages import Clock, Outcome, Reason, StageStats, StreamState


class Event(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of what passes through all stages."""


class StreamChanged(Event, frozen=True):
    """A stream entered a state: the body of a ``stream`` message. It passes all stages in order, so that ``ended`` is last."""

    stream: str
    state: StreamState
    reason: Reason = ""
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    counters: dict[str, int] = {}
    frame_rate: float = 0.0
    """Frames per second, 0 where unknown."""
    frames_expected: int = 0
    """Length of a recording, 0 where unknown: for progress."""
    started_ns: int | None = None
    """When a recording begins (wall clock, Unix, nanoseconds), where that is known."""
    clock: Clock = ""
    """Where ``started_ns`` comes from."""
    event_id: int = 0
    """Given by perceive, growing: the copies that come through several enhance workers have the same."""
    lanes: tuple[str, ...] = ()
    """The enhance workers to which perceive sent a copy."""
    calls: dict[str, Calls] = {}
    """In the last state: stage to calls of its model, as counted by the workers that this has passed."""
    lost: int = 0
    """In the last state of a recording: its faces that workers which died took along."""

    @property
    def is_last(self) -> bool:
        """Whether nothing of the stream comes after it."""
        return self.state in ("ended", "failed")

    def with_account(self, calls: Mapping[str, Calls], lost: int = 0) -> StreamChanged:
        """Return the event with what one more worker has counted of its stream."""
        both = {stage: self.calls.get(stage, Calls()) + calls.get(stage, Calls()) for stage in [*self.calls, *calls]}
        return replace(self, calls=both, lost=self.lost + lost)


class Checkpoint(Event, frozen=True):
    """No track of this recording is open after this frame: a run that is cut can go on here. Passes like StreamChanged."""

    stream: str
    frame_index: int
    next_track_id: int
    """The tracks of the recording up to this frame have smaller ids, those after it have not."""
    rejected: int = 0
    """Tracks of the recording up to this frame that were of no face."""
    event_id: int = 0
    lanes: tuple[str, ...] = ()


class InputFile(Event, frozen=True):
    """What was read: for the record of the run."""

    stream: str
    path: str
    size_bytes: int
    sha256: str
    mtime_ns: int
    """See ``Recording.facts``."""


class RunStats(Event, frozen=True):
    """How the run does: the body of a ``stats`` message."""

    stages: dict[str, StageStats]
    counters: dict[str, int]
    stream: str = ""


class RunEnd(Event, frozen=True):
    """How the run ended: the body of an ``end`` message."""

    outcome: Outcome
    detail: str
    counters: dict[str, int]
    stream: str = ""
