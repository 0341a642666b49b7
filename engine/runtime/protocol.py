"""What a worker says to its neighbours and to its supervisor, whatever it works on."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.contracts.counts import Counts
from engine.contracts.messages import Outcome

Side = Literal["upstream", "downstream"]


class Signal(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of what keeps workers together."""


class Ready(Signal, frozen=True):
    """A worker has loaded what it needs and waits for input."""

    worker: str
    facts: dict[str, str] = {}
    """What it loaded: model names, hashes, runtimes."""


class StageBeat(Signal, frozen=True):
    """One stage of one worker since its start; the percentiles are over its newest items."""

    items: int
    busy_seconds: float
    p50_ms: float
    p99_ms: float
    queue_depth: int = 0
    """Items that wait for this stage now."""


class Beat(Signal, frozen=True):
    """A sign of life, at least once a second, with what was done since the start."""

    worker: str
    stages: dict[str, StageBeat]
    counts: Counts
    """Totals since the start of the worker."""
    finished: bool = False
    """The last beat of a worker that stops as it should."""
    latencies: dict[str, StageBeat] = {}
    """By stream, from the arrival of a picture to the sending of its faces."""


class Failed(Signal, frozen=True):
    """A worker cannot go on."""

    worker: str
    message: str
    exit_code: int
    fatal: bool = False
    """Another process would fail in the same way (wrong configuration, missing model, full disk): do not restart."""


class Drain(Signal, frozen=True):
    """No more input: finish what is held, pass this on, and stop."""

    outcome: Outcome = "completed"
    detail: str = ""
    counts: Counts = Counts()
    """Totals of the workers that this has passed; each adds its own."""


class Taken(Signal, frozen=True):
    """The reader of a pipe tells its writer how many messages it is done with: room for as many more.

    The first one, after start or re-attachment, may grant as many as the reader can work on. What was not confirmed is what a
    reader that dies takes along.
    """

    count: int


class Attach(Signal, frozen=True):
    """The supervisor to a worker: your neighbour was restarted; the new channel's handle follows on the same pipe."""

    side: Side
    name: str
    """Of the neighbour; one that is not known yet has been added."""


class Detach(Signal, frozen=True):
    """The supervisor to a worker: your neighbour on this side has ended, or is dead, and will have no successor."""

    side: Side
    name: str


PROTOCOL = (Ready, Beat, Failed, Drain, Taken, Attach, Detach)
