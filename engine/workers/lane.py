"""One enhance worker as perceive sees it: what waits for it, how much room it has, and what it has in hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.rejected import TrackRejected
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.fair_queue import FairQueue
from engine.runtime.mailbox import Outbox
from engine.runtime.protocol import Drain
from engine.workers.losses import Losses

Passed = FaceCrop | TrackClosed | TrackRejected | StreamChanged | Checkpoint | InputFile
Cause = Literal["late", "stale", "worker_died"]


class Lane:
    """Sends as much as the worker has granted; the rest waits here, where the faces of cameras give way when they are late.

    What a worker had in hand when it died goes to its successor; the faces that ``Losses`` calls lost are dropped.

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
        self._queue: FairQueue[Passed] = FairQueue(waiting, budget_seconds, lambda stream, _, cause: on_drop(stream, cause))
        self._outbox: Outbox[Passed] = Outbox(channel, self._is_lost, alive)
        self._losses = Losses()
        self._on_drop = on_drop

    @property
    def channel(self) -> Channel | None:
        """None while there is no worker."""
        return self._outbox.channel

    @property
    def waiting(self) -> int:
        """Items that wait here."""
        return len(self._queue) + self._outbox.owed

    def offer(self, link: Passed) -> None:
        """Queue an item behind what waits of its stream; a camera's face may wait for the budget from now on, as a policy may
        have kept it for long before it was chosen."""
        live = isinstance(link, FaceCrop) and link.live
        self._queue.put(link.stream, link, time.monotonic() if live else None)

    def flush(self, now_seconds: float) -> int:
        """Send what the worker has room for; return how many faces went out.

        Args:
            now_seconds: by the monotonic clock.
        """
        faces = 0
        while self._outbox.has_room and (link := self._outbox.take_owed() or self._queue.take(now_seconds)) is not None:
            faces += isinstance(link, FaceCrop)
            self._outbox.send(self._losses.tell(link))
        return faces

    def take_close_calls(self) -> int:
        """Return how many of the faces that went out would soon have been dropped, since this was last asked."""
        return self._queue.take_close_calls()

    def say_last(self, last: Drain) -> None:
        """Send the last word behind all that went out."""
        self._outbox.say_last(last)

    def hear(self) -> None:
        """Take the worker's answers; notice that it is gone."""
        self._outbox.hear()

    def attach(self, channel: Channel) -> None:
        """The worker's successor has started; it will grant room when it is ready."""
        self._outbox.attach(channel)

    def close(self) -> None:
        """Let go of the worker, and account for what it has in hand."""
        self._outbox.close()

    def abandon(self) -> None:
        """No successor will come: drop the faces that wait."""
        while (link := self._outbox.take_owed() or self._queue.take(0.0)) is not None:
            if isinstance(link, FaceCrop):
                self._on_drop(link.stream, "worker_died")

    def _is_lost(self, link: Passed) -> bool:
        if not isinstance(link, FaceCrop) or not self._losses.dies_with(link):
            return False
        self._on_drop(link.stream, "worker_died")
        return True
