"""What the supervisor and its workers, and neighbours of a stream, tell each other beside the stream itself."""

from __future__ import annotations

import msgspec

from engine.contracts.counts import Counts
from engine.contracts.recording import Sent


class Order(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of what is said beside the stream."""


class Begin(Order, frozen=True):
    """Every worker is ready: the supervisor tells the publisher what they loaded, worker by worker, and the cameras' workers
    to connect."""

    facts: dict[str, dict[str, str]]


class CountedBefore(Order, frozen=True):
    """The supervisor to the publisher: what workers had counted that died, as of their last beats; replaces what it said
    before."""

    counts: Counts


class WantRecording(Order, frozen=True):
    """A decode worker has finished its recording and can take another."""

    worker: str


class Assign(Order, frozen=True):
    """The supervisor's answer to WantRecording."""

    recording: Sent
    first_frame: int = 0
    """Frames before this one were processed by an earlier attempt: decode them, hand over none."""

    @property
    def stream(self) -> str:
        """Name of its stream."""
        return self.recording.name


class Settled(Order, frozen=True):
    """The publisher to the supervisor: everything of a recording up to this frame, or of a stream to its end, has been said."""

    stream: str
    frame_index: int | None = None
    """None: to its end."""


class Refused(Order, frozen=True):
    """Perceive to decode: a model fails on all of this stream; read no further, it has failed."""

    stream: str
    detail: str


class MainWanted(Order, frozen=True):
    """Perceive to a camera's worker: whether there are faces, for which pictures of the camera's main stream are wanted."""

    stream: str
    wanted: bool


class Warned(Order, frozen=True):
    """A worker to the supervisor: something goes wrong that ends nothing; for the log."""

    stream: str
    """Empty where it is no single stream's."""
    detail: str
