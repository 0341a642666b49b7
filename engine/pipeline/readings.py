"""Which recordings wait to be read, which reader has which in hand, and which are to be read again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from engine.contracts.orders import Assign, Settled
from engine.contracts.streams import StreamChanged
from engine.pipeline.plan import Role
from engine.runtime.protocol import Drain
from engine.words.text import readable

_MOST_DEATHS, _MOST_ENDS = 2, 10
"""After so many deaths of perceive, and so many of readers because of it, a recording is read again, without a checkpoint
between: it may be what perceive dies of."""


class Readings:
    """The supervisor's books on recordings and the processes that read them, by name.

    Args:
        orders: the recordings, in the order in which they are given out.
        settles: perceive is replaced when it dies, and what it took along is read again: readers stay until the publisher has
            said all of each recording.
    """

    def __init__(self, orders: Sequence[Assign], *, settles: bool = False) -> None:
        self._waiting = deque(orders)
        self._settles = settles
        self._idle: list[str] = []
        self._in_hand: dict[str, Assign] = {}
        self._dismissed: set[str] = set()
        self._unsaid: dict[str, list[StreamChanged]] = {}
        self._unsettled: dict[str, Assign] = {}
        """Streams that were begun and of which not all has been said, to the order to read what is left."""
        self._lost: set[str] = set()
        """Those of which perceive took something along, until they wait again."""
        self._deaths: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        """Of perceive, and of readers, since the last checkpoint of each."""
        self.interrupted: set[str] = set()
        """Streams whose reader was killed from outside, which is no fault of the recording."""

    def want(self, reader: str) -> None:
        """A reader is done with what it had, and can take another."""
        self.take_back(reader)
        self._dismissed.discard(reader)
        self._idle.append(reader)

    def forget_wish(self, reader: str) -> None:
        """A reader is gone."""
        if reader in self._idle:
            self._idle.remove(reader)

    def hand_out(self, tell: Callable[[str, Struct], None], last: Drain) -> None:
        """Tell each reader that can take one of the next recording, or say the last word where there is none left."""
        while self._idle and (self._waiting or not self._unsettled):
            reader = self._idle.pop()
            if (order := self.give(reader)) is None:
                self._dismissed.add(reader)
            tell(reader, order or last)

    def was_dismissed(self, reader: str) -> bool:
        """Whether it was told that nothing is left to read."""
        return reader in self._dismissed

    def give(self, reader: str) -> Assign | None:
        """Give a reader the next recording; None if there is none left."""
        self.take_back(reader)
        if self._waiting:
            order = self._waiting.popleft()
            order = self._in_hand[reader] = self._unsettled.get(order.stream, order)
            if self._settles:
                self._unsettled[order.stream] = order
        return self._in_hand.get(reader)

    def in_hand(self, reader: str) -> Assign | None:
        return self._in_hand.get(reader)

    def take_back(self, reader: str) -> None:
        """The reader is done with what it had."""
        self._in_hand.pop(reader, None)
        self._queue_the_lost()

    def settle(self, settled: Settled) -> None:
        """So much of a recording has been said: it need not be read again."""
        order = self._unsettled.get(settled.stream)
        if settled.frame_index is None:
            self._forget(settled.stream)
        elif order is not None and settled.frame_index >= order.first_frame:
            self._unsettled[settled.stream] = replace(order, first_frame=settled.frame_index + 1)
            del self._deaths[settled.stream], self._ends[settled.stream]

    def note_death(self, role: Role) -> list[StreamChanged]:
        """A worker that all streams share died, and is replaced: perceive takes along what it had in hand of each recording,
        and publish what it knew of the ends of those that have been read. Return the last states of recordings that nobody
        reads again."""
        failed = []
        if role == "perceive":
            self._deaths.update(self._unsettled.keys())
            self._lost.update(stream for stream in self._unsettled if self._deaths[stream] <= _MOST_DEATHS)
            for stream in self._unsettled.keys() - self._lost - self._read:
                failed.append(StreamChanged(stream, "failed", "worker_died", "the worker that finds faces died on it"))
                self._forget(stream)
            self._queue_the_lost()
        elif role == "publish":
            for stream in self._unsettled.keys() - self._read - {order.stream for order in self._waiting}:
                self._forget(stream)
        return failed

    def may_read_again(self, reader: str) -> bool:
        """Whether what a reader has in hand may be read once more, where perceive died, which is no fault of this reader."""
        order = self._in_hand.get(reader)
        return order is not None and self._deaths[order.stream] <= _MOST_DEATHS and self._ends[order.stream] < _MOST_ENDS

    def read_again(self, reader: str) -> None:
        """The reader ended with perceive: another reads what is left of the recording that it had in hand."""
        stream = self._in_hand.pop(reader).stream
        self._ends[stream] += 1
        self._lost.add(stream)
        self._queue_the_lost()

    def fail(self, reader: str, reason: str, *, interrupted: bool) -> StreamChanged:
        """The reader died: so ends the recording that it had in hand, and no other. Return its last state, which the reader's
        successor has to say; it is not begun again in this run, as its faces would come twice.
        """
        order = self._in_hand.pop(reader)
        self._forget(order.stream)
        path = readable(order.recording.recording().path)
        event = StreamChanged(order.stream, "failed", "worker_died", f"{path}: {reason} while it read this recording")
        self._unsaid.setdefault(reader, []).append(event)
        if interrupted:
            self.interrupted.add(order.stream)
        return event

    def unsaid(self, reader: str) -> Sequence[StreamChanged]:
        """Return the last states that a reader's predecessors did not come to say."""
        return self._unsaid.get(reader, ())

    def said(self, reader: str) -> None:
        """The reader has said them."""
        self._unsaid.pop(reader, None)

    def stop(self) -> None:
        """Give out no more."""
        self._waiting.clear()
        self._unsettled.clear()
        self._lost.clear()
        self._settles = False

    @property
    def _read(self) -> set[str]:
        """Streams that are in hand."""
        return {order.stream for order in self._in_hand.values()}

    def _queue_the_lost(self) -> None:
        """Those that a reader still has in hand wait until it has noticed."""
        for stream in sorted(self._lost - self._read):
            self._lost.discard(stream)
            if stream in self._unsettled and all(order.stream != stream for order in self._waiting):
                self._waiting.appendleft(self._unsettled[stream])

    def _forget(self, stream: str) -> None:
        """All of it has been said, or will not be."""
        if self._unsettled.pop(stream, None) is not None:
            self._waiting = deque(order for order in self._waiting if order.stream != stream)
        self._lost.discard(stream)
        del self._deaths[stream], self._ends[stream]
