"""All enhance workers as perceive sees them: a track always goes to the same one, an event to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from engine.config import LiveConfig
from engine.contracts.counts import Counts
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.runtime.channel import Channel, ChannelClosed, Waitable, wait_for_any
from engine.runtime.protocol import Drain
from engine.runtime.worker import BEAT_SECONDS
from engine.workers.lane import Cause, Lane

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
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        config: LiveConfig,
        ids: Iterator[int],
        on_drop: Callable[[str, Cause], None],
        alive: Callable[[], None],
    ) -> None:
        self._ids = ids
        self._alive = alive
        self._lanes = {
            name: Lane(channel, _WAITING_FACES, config.budget_ms / 1000, on_drop, alive) for name, channel in channels.items()
        }
        self._in_turn = list(self._lanes.values())

    @property
    def open_channels(self) -> list[Channel]:
        return [lane.channel for lane in self._in_turn if lane.channel is not None]

    @property
    def is_backed_up(self) -> bool:
        """Whether so much waits for a worker that nothing more should be begun that must not be dropped."""
        return any(lane.waiting >= _BACKLOG for lane in self._in_turn if lane.channel is not None)

    def send(self, link: FaceCrop | TrackClosed) -> None:
        """Queue for the worker of the track."""
        self._in_turn[link.track_id % len(self._in_turn)].offer(link)

    def send_to_all(self, event: StreamChanged | Checkpoint | InputFile) -> None:
        """Queue a copy for each worker, behind what waits of the same stream."""
        if not isinstance(event, InputFile):
            event = replace(event, event_id=next(self._ids), lanes=tuple(self._lanes))
        for lane in self._in_turn:
            lane.offer(event)
            if isinstance(event, StreamChanged) and event.calls:
                event = replace(event, calls={})  # one copy carries the account

    def flush(self, now_seconds: float) -> int:
        """Send what the workers have room for; return how many faces went out."""
        return sum(lane.flush(now_seconds) for lane in self._in_turn)

    def hear(self, channel: Waitable) -> None:
        """Take a worker's answer."""
        for lane in self._in_turn:
            if lane.channel is channel:
                lane.hear()

    def attach(self, name: str, channel: Channel) -> None:
        """A worker was restarted."""
        self._lanes[name].attach(channel)

    def drain(self, last: Drain, totals: Callable[[], Counts]) -> None:
        """Send what waits and then the last word; the totals go with the first lane that lives."""
        while any(lane.waiting and lane.channel is not None for lane in self._in_turn):
            self.flush(0.0)
            for channel in wait_for_any(self.open_channels, BEAT_SECONDS):
                self.hear(channel)
            self._alive()
        if len(self.open_channels) < len(self._lanes):
            last = Drain("failed", "a worker that enhances the faces died")
            for lane in self._in_turn:
                if lane.channel is None:
                    lane.abandon()
        for number, channel in enumerate(self.open_channels):
            try:
                channel.send(Drain(last.outcome, last.detail, totals() if number == 0 else Counts()))
            except ChannelClosed:
                continue
