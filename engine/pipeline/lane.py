"""One enhance worker as perceive sees it: what waits for it, how much room it has, and what it has in hand."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.pipeline.losses import Losses
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.fair_queue import FairQueue
from engine.runtime.protocol import Taken

Passed = FaceCrop | TrackClosed | StreamChanged | Checkpoint | InputFile
Cause = Literal["late", "stale", "worker_died"]


class Lane:
    """Sends as much as the worker has granted; the rest waits here, where the faces of cameras give way when they are late.

    A face that a worker had in hand when it died is dropped; everything else it had in hand goes to its successor.

    Args:
        channel: to the worker.
        waiting: faces of one camera that may wait.
        budget_seconds: since they were chosen.
        on_drop: is told the stream and the cause of each face that is dropped.
        alive: called now and then while the worker has no room for what it has granted.
    """

    def __init__(
        self,
        channel: Channel,
        waiting: int,
        budget_seconds: float,
        on_drop: Callable[[str, Cause], None],
        alive: Callable[[], None],
    ) -> None:
        self.channel: Channel | None = channel
        self._alive = alive
        self._credit = 0
        self._queue: FairQueue[Passed] = FairQueue(waiting, budget_seconds, lambda stream, _, cause: on_drop(stream, cause))
        self._in_hand: deque[Passed] = deque()
        self._again: deque[Passed] = deque()
        self._losses = Losses()
        self._on_drop = on_drop

    @property
    def waiting(self) -> int:
        """Items that wait here."""
        return len(self._queue) + len(self._again)

    def offer(self, link: Passed) -> None:
        """Queue an item behind what waits of its stream; a camera's face may wait for the budget from now on, as a policy may
        have kept it for long before it was chosen."""
        live = isinstance(link, FaceCrop) and link.live
        self._queue.put(link.stream, link, time.time() if live else None)

    def flush(self, now_seconds: float) -> int:
        """Send what the worker has room for; return how many faces went out.

        Args:
            now_seconds: Unix time.
        """
        faces = 0
        while self.channel is not None and self._credit > 0:
            link = self._again.popleft() if self._again else self._queue.take(now_seconds)
            if link is None:
                break
            link = self._losses.tell(link)
            self._in_hand.append(link)
            self._credit -= 1
            faces += isinstance(link, FaceCrop)
            try:
                self.channel.send(link, self._alive)
            except ChannelClosed:
                self.die()
        return faces

    def hear(self) -> None:
        """Take the worker's answer; notice that it is gone."""
        if self.channel is None:
            return
        try:
            link = self.channel.receive()
        except ChannelClosed:
            self.die()
            return
        if isinstance(link, Taken):
            self._credit += link.count
            for _ in range(min(link.count, len(self._in_hand))):
                self._in_hand.popleft()

    def die(self) -> None:
        """The worker is gone: account for what it had in hand, and keep the rest for its successor."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        for link in self._in_hand:
            if isinstance(link, FaceCrop):
                self._losses.add(link.stream, live=link.live)
                self._on_drop(link.stream, "worker_died")
        self._again = deque([link for link in self._in_hand if not isinstance(link, FaceCrop)] + list(self._again))
        self._in_hand.clear()
        self._credit = 0

    def attach(self, channel: Channel) -> None:
        """The worker's successor has started; it will grant room when it is ready."""
        self.die()
        self.channel = channel

    def abandon(self) -> None:
        """No successor will come: drop the faces that wait."""
        for link in self._drained():
            if isinstance(link, FaceCrop):
                self._on_drop(link.stream, "worker_died")

    def _drained(self) -> list[Passed]:
        links = list(self._again)
        self._again.clear()
        while (link := self._queue.take(0.0)) is not None:
            links.append(link)
        return links
