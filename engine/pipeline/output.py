"""The way from an enhance worker to publish, also over a restart of publish."""

from __future__ import annotations

from collections import deque

from engine.contracts.faces import FaceResult
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.pipeline.links import Outgoing
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Drain, Taken
from engine.runtime.worker import WorkerContext

Sent = Outgoing | StreamChanged | Checkpoint | InputFile | Drain


class Output:
    """Sends results to publish, waiting while it has no room, and accounts for those that a dead one took along.

    Faces that cannot be delivered are counted as ``drops.worker_died``; whatever else publish had not confirmed goes to its
    successor.
    """

    def __init__(self, context: WorkerContext, channel: Channel) -> None:
        self._context = context
        self._channel: Channel | None = channel
        self._in_hand: deque[Sent] = deque()

    def send(self, link: Sent) -> None:
        """Send a result."""
        self._in_hand.append(link)
        # Confirmations are read before and while this waits: publish must never wait for room to send one.
        self.hear()
        if self._channel is None:
            self._drop_faces()
            return
        try:
            self._channel.send(link, self._wait)
        except ChannelClosed:
            self._lose()

    def _wait(self) -> None:
        self.hear()
        self._context.beat()

    def hear(self) -> None:
        """Take publish's confirmations, without waiting."""
        while self._channel is not None and self._channel.has_message():
            try:
                link = self._channel.receive()
            except ChannelClosed:
                self._lose()
                return
            if isinstance(link, Taken):
                for _ in range(min(link.count, len(self._in_hand))):
                    self._in_hand.popleft()

    def attach(self, channel: Channel) -> None:
        """Publish was restarted: give it what its predecessor had not confirmed."""
        self._lose()
        self._channel = channel
        again, self._in_hand = self._in_hand, deque()
        for link in again:
            self.send(link)

    def _lose(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._drop_faces()

    def _drop_faces(self) -> None:
        kept: deque[Sent] = deque()
        for link in self._in_hand:
            if isinstance(link, Outgoing) and isinstance(link.body, FaceResult):
                self._context.telemetry.drop(link.body.stream, "worker_died")
            else:
                kept.append(link)
        self._in_hand = kept
