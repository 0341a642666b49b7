"""Which recordings wait to be read, and which reader has which in hand."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from engine.contracts.orders import Assign
from engine.contracts.recording import shown
from engine.contracts.streams import StreamChanged
from engine.runtime.protocol import Drain


class Readings:
    """The supervisor's books on recordings and the processes that read them, by name.

    Args:
        orders: the recordings, in the order in which they are given out.
    """

    def __init__(self, orders: Sequence[Assign]) -> None:
        self._waiting = deque(orders)
        self._idle: list[str] = []
        self._in_hand: dict[str, Assign] = {}
        self._dismissed: set[str] = set()
        self._unsaid: dict[str, list[StreamChanged]] = {}
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
        while self._idle:
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
            self._in_hand[reader] = self._waiting.popleft()
        return self._in_hand.get(reader)

    def in_hand(self, reader: str) -> Assign | None:
        return self._in_hand.get(reader)

    def take_back(self, reader: str) -> None:
        """The reader is done with what it had."""
        self._in_hand.pop(reader, None)

    def fail(self, reader: str, reason: str, *, interrupted: bool) -> StreamChanged:
        """The reader died: so ends the recording that it had in hand, and no other. Return its last state, which the reader's
        successor has to say; it is not begun again in this run, as its faces would come twice.
        """
        order = self._in_hand.pop(reader)
        path = shown(Path(os.fsdecode(order.path)))
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
