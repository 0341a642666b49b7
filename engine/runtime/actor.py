"""The event loop of a worker, once for all of them: hears its supervisor and its neighbours, outlives their deaths, beats, and
knows when nothing more will come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from engine.contracts.counts import Counting
from engine.contracts.messages import Outcome
from engine.runtime.channel import Channel, Waitable, wait_for_any
from engine.runtime.mailbox import Inbox, Sender
from engine.runtime.protocol import Attach, Detach, Drain
from engine.runtime.worker import BEAT_SECONDS, WorkerContext

Message = TypeVar("Message")
_BADNESS: Sequence[Outcome] = ("completed", "drained", "failed")


class Outlet(Protocol):
    """The way to one neighbour downstream, as an ``Outbox`` or what is built on one."""

    @property
    def channel(self) -> Channel | None:
        """None while there is no reader."""

    def hear(self) -> None:
        """Take the reader's answers, without waiting; notice that it is gone."""

    def attach(self, channel: Channel) -> None:
        """The reader's successor has started."""


class Actor(Generic[Message]):
    """A worker is a subclass that says what is done with a message: ``take``, and where it matters what follows below.

    Args:
        context: of the worker.
        senders: from the neighbours upstream, by name.
        outlets: to the neighbours downstream, by name.
        replaced: neighbours that die get successors, until the run ends.
    """

    def __init__(
        self,
        context: WorkerContext,
        senders: Mapping[str, Channel],
        outlets: Mapping[str, Outlet],
        *,
        replaced: bool,
    ) -> None:
        self.context = context
        self.outlets = outlets
        self.inbox = Inbox(senders, replaced=replaced)
        self.stopped: Drain | None = None
        """The supervisor's word that the run, or this worker's part in it, ends."""
        self.worst = Drain()
        """The worst last word of a neighbour; of several, the first."""
        self.heard = Counting()
        """What the neighbours that have ended had counted."""

    # What a worker says of itself.

    def begin(self, sender: Sender) -> None:
        """A neighbour, or the successor of one that died, is read from now on."""

    def take(self, sender: Sender, message: Message) -> None:
        """Deal with the next message of a neighbour."""

    def miss(self, sender: Sender) -> None:
        """A neighbour died, what it had sent has been taken, and it has a successor or will have one."""

    def lose(self, sender: Sender) -> Drain | None:
        """A neighbour died and nobody comes after it; return what stands for its last word, None if nothing needs to."""

    def leave(self, sender: Sender) -> None:
        """A neighbour will send no more: it has said its last word, or was lost."""

    def attached(self, name: str) -> None:
        """A neighbour downstream that died has a successor, and its outlet has it."""

    def obey(self, order: Struct) -> None:
        """Follow an order of the supervisor that is no part of the protocol; those of the protocol are followed already."""

    def work(self) -> None:
        """Do what can be done between two messages."""

    def reads(self, sender: Sender) -> bool:
        """Whether a neighbour is read now; while not, it waits as soon as the pipe is full."""
        return True

    def wakers(self) -> Sequence[Waitable]:
        """What else ends the wait for news."""
        return ()

    @property
    def wait_seconds(self) -> float:
        """How long to wait for news before there is something to do without any."""
        return BEAT_SECONDS

    @property
    def is_done(self) -> bool:
        """Whether nothing will come, and nothing is left to do."""
        return self.inbox.is_over

    # What all of them do.

    def run(self) -> None:
        """Work until all is done."""
        for sender in self.inbox.senders:
            self.begin(sender)
        while not self.is_done:
            self.turn(self.wait_seconds)

    def turn(self, wait_seconds: float) -> None:
        """Wait for news, so long at most, and deal with them: one message of each neighbour."""
        control = self.context.control
        answering = {outlet.channel: outlet for outlet in self.outlets.values() if outlet.channel is not None}
        reading = [sender for sender in self.inbox.senders if self.reads(sender)]
        sources: list[Waitable] = [control, *self.wakers(), *answering, *reading]
        for source in wait_for_any(sources, wait_seconds):
            if isinstance(source, Sender):
                self._hear(source)
            elif source is control:
                self.hear_supervisor()
            elif source in answering:
                answering[source].hear()
        self.work()
        self.context.beat()

    def hear_supervisor(self) -> None:
        """Receive an order, and follow it."""
        if (order := self.receive_order()) is not None:
            self.follow(order)

    def receive_order(self) -> Struct | None:
        """Receive an order and return it for ``follow``, now or later; None where it was to be followed at once, and was: the
        pipe of a new neighbour comes on the same way."""
        order: Struct = self.context.control.receive()
        if not isinstance(order, Attach):
            if isinstance(order, Drain):
                self.stopped = self.stopped or order
            return order
        channel = self.context.control.receive_channel()
        if order.side == "downstream":
            self.outlets[order.name].attach(channel)
            self.attached(order.name)
        elif (sender := self.inbox.attach(order.name, channel)) is not None:
            self.begin(sender)
        return None

    def follow(self, order: Any) -> None:
        """Follow an order that was received."""
        match order:
            case Detach(name=name):
                if (sender := self.inbox.detach(name)) is not None:
                    self._end_for_good(sender)
            case Drain():
                for sender in self.inbox.stop_replacing():
                    self._end_for_good(sender)
            case _:
                self.obey(order)

    def give_up(self, sender: Sender) -> None:
        """What a neighbour sends cannot be used any more: take it for dead. Its pipe stays open and unread, so that one that
        lives hangs, and is replaced."""
        self._lose(sender)

    def last_word(self) -> Drain:
        """Return what is said downstream, or at the end: the worst of the last words of all neighbours, with the sum of what
        they and this worker have counted."""
        counts = self.context.telemetry.counts.copy()
        counts.add(self.heard.now())
        return Drain(self.worst.outcome, self.worst.detail, counts.now())

    def _hear(self, sender: Sender) -> None:
        if not self.inbox.reads(sender):
            return  # it left in this turn
        message = sender.receive()
        if isinstance(message, Drain):
            successor = self.inbox.end(sender)
            self._note(message)
            self.leave(sender)
            if successor is not None:
                self.begin(successor)
        elif message is not None:
            self.take(sender, message)
        else:
            sender.channel.close()
            self._lose(sender)

    def _lose(self, sender: Sender) -> None:
        successor = self.inbox.lose(sender)
        if successor is None and not self.inbox.awaits(sender.name):
            self._end_for_good(sender)
            return
        self.miss(sender)
        if successor is not None:
            self.begin(successor)

    def _end_for_good(self, sender: Sender) -> None:
        if (last := self.lose(sender)) is not None:
            self._note(last)
        self.leave(sender)

    def _note(self, last: Drain) -> None:
        self.heard.add(last.counts)
        if _BADNESS.index(last.outcome) > _BADNESS.index(self.worst.outcome):
            self.worst = last
