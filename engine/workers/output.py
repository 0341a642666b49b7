"""The way from an enhance worker to publish, also over a restart of publish."""

from __future__ import annotations

from collections import deque

from engine.contracts.faces import FaceResult, Sighting
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.mailbox import Outbox
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.links import Outgoing
from engine.workers.losses import Losses

Sent = Outgoing | StreamChanged | Checkpoint | InputFile | Drain
_BACKLOG = 64


class Output:
    """Sends results to publish, waiting while it has no room, and accounts for those that a dead one took along.

    What publish had not confirmed goes to its successor, but for the faces that ``Losses`` calls lost: they are counted as
    dropped for ``worker_died``. While there is no publish faces of cameras are dropped in the same way, and recordings' wait.
    """

    def __init__(self, context: WorkerContext, channel: Channel) -> None:
        self._context = context
        self._outbox: Outbox[Sent] = Outbox(channel, self._is_lost, context.beat, on_credit=False)
        self._waiting: deque[Sent] = deque()
        self._losses = Losses()

    @property
    def is_backed_up(self) -> bool:
        """Whether so much waits for a successor of publish that no more should be begun."""
        return len(self._waiting) >= _BACKLOG

    @property
    def channel(self) -> Channel | None:
        """None while there is no publish."""
        return self._outbox.channel

    def send(self, link: Sent) -> None:
        """Send a result."""
        self._waiting.append(link)
        self._flush()

    def hear(self) -> None:
        """Take publish's confirmations, without waiting."""
        self._outbox.hear()

    def attach(self, channel: Channel) -> None:
        """Publish was restarted: give it what its predecessor had not confirmed."""
        self._outbox.attach(channel)
        self._flush()

    def close(self) -> None:
        """No successor will come: what still waits is lost."""
        while (link := self._next()) is not None:
            if (face := _face_of(link)) is not None:
                self._lose(face)

    def _flush(self) -> None:
        self._outbox.hear()
        while self._outbox.has_room and (link := self._next()) is not None:
            self._outbox.send(self._losses.tell(link))
        if not self._outbox.has_room:
            self._waiting = deque(link for link in self._waiting if not self._gives_way(link))

    def _next(self) -> Sent | None:
        return self._outbox.take_owed() or (self._waiting.popleft() if self._waiting else None)

    def _is_lost(self, link: Sent) -> bool:
        """Whether nobody will get what publish had in hand when it died: a face, which is counted then."""
        face = _face_of(link)
        if face is None or not self._losses.dies_with(face):
            return False
        self._drop(face)
        return True

    def _gives_way(self, link: Sent) -> bool:
        """Whether it does not wait for a successor of publish: a camera's face, which is counted then."""
        face = _face_of(link)
        if face is None or not face.live:
            return False
        self._drop(face)
        return True

    def _lose(self, face: Sighting) -> None:
        self._losses.add(face)
        self._drop(face)

    def _drop(self, face: Sighting) -> None:
        self._context.telemetry.drop(face.stream, "worker_died")


def _face_of(link: Sent) -> Sighting | None:
    return link.body.face if isinstance(link, Outgoing) and isinstance(link.body, FaceResult) else None
