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
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct

from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Taken

Message = TypeVar("Message")
_ONE_TAKEN = Taken(1)


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
        settled_by: of an answer that is no ``Taken``: the message in hand that it confirms, None where it confirms none.
    """

    def __init__(
        self,
        channel: Channel,
        is_lost: Callable[[Message], bool],
        alive: Callable[[], None] = _nothing,
        *,
        on_credit: bool = True,
        settled_by: Callable[[Any], Message | None] = lambda answer: None,
    ) -> None:
        self.channel: Channel | None = channel
        """None while there is no reader."""
        self._is_lost, self._alive, self._settled_by = is_lost, alive, settled_by
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

    def tell(self, message: Struct) -> None:
        """Send what is not confirmed and is nothing to this reader's successor; nothing happens where there is no reader."""
        if self.channel is not None:
            with suppress(ChannelClosed):
                self.channel.send(message, self._wait)
            self.hear()

    def say_last(self, message: Struct) -> None:
        """Send the last word. A reader that has read it hangs up, whatever it still has in hand: that is no death, and costs
        nothing. One that was gone before has died."""
        self.hear()
        if self.channel is None:
            return
        try:
            self.channel.send(message, self._wait)
        except ChannelClosed:
            self.hear()
        else:
            self._in_hand.clear()

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
            elif (message := self._settled_by(answer)) is not None:
                self._in_hand.remove(message)

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


@dataclass(eq=False, slots=True)
class Sender:
    """One life of a sender: a process that died and its successor have the same name and are two of these."""

    name: str
    channel: Channel

    def fileno(self) -> int:
        return self.channel.fileno()

    def receive(self) -> Any | None:
        """Return its next message; None: it is gone, and everything that it sent has been read."""
        try:
            return self.channel.receive()
        except ChannelClosed:
            return None

    def confirm(self, message: Struct = _ONE_TAKEN) -> None:
        """Tell it that its oldest message, or what ``message`` says, is done with; one that is gone needs to know no more."""
        self.channel.confirm(message)


class Inbox:
    """The reader's end, of all senders.

    Args:
        channels: to the senders, by name.
        replaced: those that die get successors, until ``stop_replacing``.
        goes_on: where there is none, one may still come, until then.
    """

    def __init__(self, channels: Mapping[str, Channel], *, replaced: bool, goes_on: bool = False) -> None:
        self._reading = {name: Sender(name, channel) for name, channel in channels.items()}
        self._next: dict[str, deque[Sender]] = {}
        self._awaited: dict[str, Sender] = {}
        """The dead whose successors have not come."""
        self._leaving: set[Sender] = set()
        """Those that were removed: a name can be given again while what its last bearer sent is still being read."""
        self._said_all: set[str] = set()
        """Those that have said their last word: whoever replaces one has nothing to say, until it was removed."""
        self._replaced, self._goes_on = replaced, goes_on

    @property
    def senders(self) -> list[Sender]:
        """Those from which something may come now."""
        return list(self._reading.values())

    @property
    def is_over(self) -> bool:
        """Whether nobody will send any more."""
        return not self._reading and not self._awaited and not self._goes_on

    def reads(self, sender: Sender) -> bool:
        """Whether something may come from it now."""
        return self._reading.get(sender.name) is sender

    def attach(self, name: str, channel: Channel) -> Sender | None:
        """A sender was replaced, or has been added; return it if it is read from now on: what its predecessors had sent
        is read first, and one that had said its last word has no successor."""
        sender = Sender(name, channel)
        if name in self._said_all:
            channel.close()
            return None
        if name in self._reading:
            self._next.setdefault(name, deque()).append(sender)
            return None
        self._awaited.pop(name, None)
        self._reading[name] = sender
        return sender

    def detach(self, name: str) -> Sender | None:
        """A sender has ended for good: what it had sent is read, and no successor is waited for; who comes under its name then
        is another. Return one of which all had been read, if it had not said its last word."""
        self._said_all.discard(name)
        if name in self._reading:
            self._leaving.add([self._reading[name], *self._next.get(name, ())][-1])
        return self._awaited.pop(name, None)

    def stop_replacing(self) -> list[Sender]:
        """Nobody comes any more; return the dead who would have had successors."""
        self._replaced = self._goes_on = False
        lost, self._awaited = list(self._awaited.values()), {}
        return lost

    def end(self, sender: Sender) -> Sender | None:
        """It has said its last word. Return who was added under the name of one that was removed, read from now on, if that is
        there already; whoever replaces one that died after its last word has nothing to say."""
        self._reading.pop(sender.name)
        sender.channel.close()
        if sender not in self._leaving:
            self._said_all.add(sender.name)
        elif waiting := self._next.get(sender.name):
            self._reading[sender.name] = waiting.popleft()
        self._leaving.discard(sender)
        return self._reading.get(sender.name)

    def lose(self, sender: Sender) -> Sender | None:
        """It is gone without a last word, and all that it had sent has been read. Return its successor, read from now
        on, if that is there already."""
        self._reading.pop(sender.name)
        if waiting := self._next.get(sender.name):
            self._leaving.discard(sender)
            self._reading[sender.name] = waiting.popleft()
            return self._reading[sender.name]
        if self._replaced and sender not in self._leaving:
            self._awaited[sender.name] = sender
        self._leaving.discard(sender)
        return None

    def awaits(self, name: str) -> bool:
        """Whether a successor is to come."""
        return name in self._awaited
