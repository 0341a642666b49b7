"""The way from an enhance worker to publish, also over a restart of publish."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from engine.contracts.faces import FaceResult
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.pipeline.links import Outgoing
from engine.pipeline.losses import Losses
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Drain, Taken
from engine.runtime.worker import WorkerContext

Sent = Outgoing | StreamChanged | Checkpoint | InputFile | Drain
_BACKLOG = 64


class Output:
    """Sends results to publish, waiting while it has no room, and accounts for those that a dead one took along.

    What publish had not confirmed goes to its successor, but not faces, which it may have sent: they are counted as
    ``drops.worker_died``. While there is no publish faces of cameras are dropped in the same way; those of recordings wait.
    """

    def __init__(self, context: WorkerContext, channel: Channel) -> None:
        self._context = context
        self._channel: Channel | None = channel
        self._waiting: deque[Sent] = deque()
        self._in_hand: deque[Sent] = deque()
        self._losses = Losses()

    @property
    def is_backed_up(self) -> bool:
        """Whether so much waits for a successor of publish that no more should be begun."""
        return len(self._waiting) >= _BACKLOG

    def send(self, link: Sent) -> None:
        """Send a result."""
        self._waiting.append(link)
        self._flush()

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
        self.hear()
        self._lose()
        self._channel = channel
        self._flush()

    def close(self) -> None:
        """No successor will come: what still waits is lost."""
        for link in self._waiting:
            self._count_lost(link)
        self._waiting.clear()

    def _flush(self) -> None:
        # Confirmations are read before and while this waits: publish must never wait for room to send one.
        self.hear()
        while self._waiting and self._channel is not None:
            link = self._losses.tell(self._waiting.popleft())
            self._in_hand.append(link)
            with suppress(ChannelClosed):  # which is heard below, behind what it has confirmed
                self._channel.send(link, self._wait)
            self.hear()
        if self._channel is None:
            self._waiting = deque(link for link in self._waiting if not (_is_live_face(link) and self._count_lost(link)))

    def _wait(self) -> None:
        self.hear()
        self._context.beat()

    def _lose(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        kept = [link for link in self._in_hand if not self._count_lost(link)]
        self._waiting.extendleft(reversed(kept))
        self._in_hand.clear()

    def _count_lost(self, link: Sent) -> bool:
        """Count a face that nobody will get; return whether it is one."""
        if not (isinstance(link, Outgoing) and isinstance(link.body, FaceResult)):
            return False
        self._losses.add(link.body.stream, live=link.body.face.live)
        self._context.telemetry.drop(link.body.stream, "worker_died")
        return True


def _is_live_face(link: Sent) -> bool:
    return isinstance(link, Outgoing) and isinstance(link.body, FaceResult) and link.body.face.live
