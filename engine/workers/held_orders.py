"""Orders that come while a message waits for its reader: they are read, as the supervisor waits for nobody, and follow it."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from msgspec import Struct

from engine.contracts.orders import CountedBefore
from engine.runtime.actor import Actor
from engine.workers.links import Outgoing

_GIVE_UP_SECONDS = 10.0
"""How long a ``push`` without a reader may hold back the end of a run that is being stopped."""
_MOST_HELD_STATS = 60
"""A minute of them: later ones take the place of the oldest, and have the totals of all. What is left out is how fast stages
were in each second before."""


class HeldOrders:
    """Those of one actor, in their order, and however long a reader takes nothing: every stream change, the newest
    ``_MOST_HELD_STATS`` statistics, and the newest sum of what workers that died had counted, which holds the earlier ones.

    Args:
        actor: whose orders.
    """

    def __init__(self, actor: Actor[Any]) -> None:
        self._actor = actor
        self._held: deque[Struct] = deque()
        self._stopped_since: float | None = None

    def should_give_up(self) -> bool:
        """Whether a message that waits is given up; asked while it waits, so that this beats and reads orders, too. None is
        followed that sends something: it would overtake the message."""
        while self._actor.context.control.has_message():
            if (order := self._actor.receive_order()) is not None:
                self._hold(order)
        self._actor.context.beat()
        if self._actor.stopped is None:
            return False
        self._stopped_since = self._stopped_since or time.monotonic()
        return time.monotonic() - self._stopped_since > _GIVE_UP_SECONDS

    def follow(self) -> None:
        """Follow them, in their order, when the message is gone."""
        while self._held:
            self._actor.follow(self._held.popleft())

    def _hold(self, order: Struct) -> None:
        most = {Outgoing: _MOST_HELD_STATS, CountedBefore: 1}.get(type(order))
        alike = [held for held in self._held if type(held) is type(order)]
        if most is not None and len(alike) >= most:
            self._held.remove(alike[0])
        self._held.append(order)
