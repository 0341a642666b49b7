"""All enhance workers as perceive sees them: a track always goes to the same one, an event to all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from engine.config import LiveConfig
from engine.contracts.counts import Counts
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.rejected import TrackRejected
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.protocol import Drain
from engine.workers.lane import Cause, Lane, Passed

_BACKLOG = 8
"""Items that wait for one worker before recordings are held back."""
_WAITING_FACES = 4
"""Faces of one camera that may wait for one worker."""


class Lanes:
    """Distributes what goes on.

    Args:
        channels: one to each enhance worker, by name.
        config: the staleness budget.
        ids: gives growing numbers to events, never the same twice in a run.
        on_drop: is told the stream and cause of each face that is dropped.
        alive: called now and then while a worker has no room.
        traced: share of the faces that are traced from here on.
        track_step: from the number of one track of a stream to that of its next, see ``TrackIds``.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        config: LiveConfig,
        ids: Iterator[int],
        on_drop: Callable[[str, Cause], None],
        alive: Callable[[], None],
        traced: float = 0.0,
        *,
        track_step: int = 1,
    ) -> None:
        self._ids, self._traced, self._track_step = ids, traced, track_step
        self._lanes = {
            name: Lane(channel, _WAITING_FACES, config.budget_ms / 1000, on_drop, alive) for name, channel in channels.items()
        }
        self._in_turn = list(self._lanes.values())

    @property
    def outlets(self) -> Mapping[str, Lane]:
        """The ways to the workers, by name."""
        return self._lanes

    @property
    def is_owing(self) -> bool:
        """Whether something waits for a worker that lives."""
        return any(lane.waiting and lane.channel is not None for lane in self._in_turn)

    @property
    def is_backed_up(self) -> bool:
        """Whether so much waits for a worker that nothing more should be begun that must not be dropped."""
        return any(lane.waiting >= _BACKLOG for lane in self._in_turn if lane.channel is not None)

    def pass_on(self, item: Passed) -> None:
        """Queue what a track says for its worker, and anything else for all."""
        if isinstance(item, FaceCrop | TrackClosed | TrackRejected):
            self.send(item)
        else:
            self.send_to_all(item)

    def send(self, link: FaceCrop | TrackClosed | TrackRejected) -> None:
        """Queue for the worker of the track."""
        if self._traced and isinstance(link, FaceCrop) and random.random() < self._traced:
            link = replace(link, marks=[time.time_ns()])
        self._in_turn[link.track_id // self._track_step % len(self._in_turn)].offer(link)

    def send_to_all(self, event: StreamChanged | Checkpoint | InputFile) -> None:
        """Queue a copy for each worker, behind what waits of the same stream."""
        if not isinstance(event, InputFile):
            event = replace(event, event_id=next(self._ids), lanes=tuple(self._lanes))
        for lane in self._in_turn:
            lane.offer(event)
            if isinstance(event, StreamChanged) and event.calls:
                event = replace(event, calls={})  # one copy carries the account

    def flush(self, now_seconds: float) -> tuple[int, int]:
        """Send what the workers have room for; return how many faces went out, and how many of them just in time."""
        faces = sum(lane.flush(now_seconds) for lane in self._in_turn)
        return faces, sum(lane.take_close_calls() for lane in self._in_turn)

    def drain(self, last: Drain) -> None:
        """Say the last word, whose counts go with the first worker that lives; what waits for one that is dead is dropped."""
        living = [lane for lane in self._in_turn if lane.channel is not None]
        if len(living) < len(self._in_turn):
            last = Drain("failed", "a worker that enhances the faces died", last.counts)
            for lane in self._in_turn:
                if lane.channel is None:
                    lane.abandon()
        for lane in living:
            lane.say_last(last)
            last = replace(last, counts=Counts())
