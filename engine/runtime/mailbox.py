"""The protocol between two workers, once for all messages: who sends keeps account of what its reader has in hand, so that a
death of the reader costs what may be lost and nothing else.

The reader grants room, and confirms what it is done with (``Taken``). When it dies, what it had not confirmed is lost or goes
to its successor first, as the sender's rule says; the successor comes through ``attach``. When the sender dies, what it had
sent is read before what its successor sends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Taken

Message = TypeVar("Message")


def _nothing() -> None:
    return None


class Outbox(Generic[Message]):
    """The sender's end.

    Args:
        channel: to the reader.
        is_lost: asked for each message that a dead reader had in hand; True: it is gone, and the rule has counted it; False: it
            goes to the successor.
        alive: called now and then while the reader has no room.
        on_credit: whether the reader grants room; False: what fits into the pipe is sent.
    """

    def __init__(
        self,
        channel: Channel,
        is_lost: Callable[[Message], bool],
        alive: Callable[[], None] = _nothing,
        *,
        on_credit: bool = True,
    ) -> None:
        self.channel: Channel | None = channel
        """None while there is no reader."""
        self._is_lost, self._alive = is_lost, alive
        self._on_credit, self._credit = on_credit, 0
        self._in_hand: deque[Message] = deque()
        self._again: deque[Message] = deque()

    @property
    def has_room(self) -> bool:
        """Whether a message may be sent now."""
        return self.channel is not None and (self._credit > 0 or not self._on_credit)

    @property
    def owed(self) -> int:
        """Messages that the next reader is to get before all others."""
        return len(self._again)

    def take_owed(self) -> Message | None:
        """Return the next message that the reader is to get before all others; None if there is none."""
        return self._again.popleft() if self._again else None

    def send(self, message: Message) -> None:
        """Send a message; call it only while there is room. Where the reader is gone the message counts as in hand."""
        if self.channel is None:
            raise RuntimeError("there is no reader: ask has_room before sending")
        self._in_hand.append(message)
        self._credit -= self._on_credit
        # Confirmations are read before, while and after this waits: a reader must never wait for room to send one.
        with suppress(ChannelClosed):  # which is heard below, behind what it has confirmed
            self.channel.send(cast(Any, message), self._wait)
        self.hear()

    def hear(self) -> None:
        """Take the reader's answers, without waiting; notice that it is gone."""
        while self.channel is not None and self.channel.has_message():
            try:
                answer = self.channel.receive()
            except ChannelClosed:
                self._die()
                return
            if isinstance(answer, Taken):
                self._credit += answer.count
                for _ in range(min(answer.count, len(self._in_hand))):
                    self._in_hand.popleft()

    def attach(self, channel: Channel) -> None:
        """The reader's successor has started; where room is granted, it will do so when it is ready."""
        self.hear()
        self._die()
        self.channel = channel

    def close(self) -> None:
        """Let go of the reader, and account for what it has in hand."""
        self._die()

    def _wait(self) -> None:
        self.hear()
        self._alive()

    def _die(self) -> None:
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        kept = [message for message in self._in_hand if not self._is_lost(message)]
        self._again.extendleft(reversed(kept))
        self._in_hand.clear()
        self._credit = 0


class Inbox:
    """The reader's end, of all senders.

    Args:
        channels: to the senders, by name.
    """

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._open: dict[str, Channel] = dict(channels)
        self._successors: dict[str, deque[Channel]] = {name: deque() for name in channels}

    @property
    def channels(self) -> list[Channel]:
        """Those from which something may come."""
        return list(self._open.values())

    def is_open(self, name: str) -> bool:
        """Whether something may come from this sender without a further ``attach``."""
        return name in self._open

    def receive(self, channel: Channel) -> tuple[str, Any]:
        """Return who sent the next message, and the message; None: the sender is gone, and everything that it sent has been
        read. If its successor is there already, it is read from now on."""
        name = next(name for name, one in self._open.items() if one is channel)
        try:
            return name, channel.receive()
        except ChannelClosed:
            self.close(name)
            if self._successors[name]:
                self._open[name] = self._successors[name].popleft()
            return name, None

    def confirm(self, name: str) -> None:
        """Tell a sender that its oldest message has been dealt with."""
        if name in self._open:
            self._open[name].confirm(Taken(1))

    def attach(self, name: str, channel: Channel) -> None:
        """A sender was replaced, or has been added; what its predecessors had sent is read first."""
        self._successors.setdefault(name, deque())
        if name in self._open:
            self._successors[name].append(channel)
        else:
            self._open[name] = channel

    def close(self, name: str) -> None:
        """Read no more of a sender, which has said its last word or is gone."""
        self._open.pop(name).close()
