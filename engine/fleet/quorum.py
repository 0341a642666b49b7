"""Until when a node may run its cameras, with the database and without it. Pure: times are the caller's, on a clock of its own.

**With the database.** A node holds an advisory lock in a session that the server ends when it has heard nothing for ``lease``
seconds. What the node sent at ``s``, and was answered, the server has heard at ``s`` or later, so it does not free the lock
before ``s + lease``: the node stops its cameras ``margin`` before that. No clock is compared with another one, and the server's
measures only how long something took.

**Who acts.** One node, the placer, moves the cameras of a node whose lock is free and whose last renewal is ``lease`` old, and
whoever takes over a camera that its holder has not given back checks the same. Both act only while at least half of all nodes
count: a node counts while it holds its lock, has held it for ``lease`` (it is *settled*), and has renewed it within ``fresh``.

**Without the database.** A node keeps its cameras as long as more than half of all nodes, itself among them, say when they are
asked that they have no lease either. More than half and half have a node in common: so while these hold, fewer than half count,
and nobody acts. To be exact in time:

- Who answers "no lease" at ``t`` cannot count before ``t + lease``, as it is not settled before; the answer came after the
  question. So an answer is good until ``lease`` after the question was sent.
- Its former session may go on at the server, and count, until ``fresh`` after the last statement that reached it. It ended that
  session itself, with what was still to be sent thrown away; ``counted_seconds`` says how long it may count yet, with ``delay``
  for what was under way. Such an answer is used only where that is over before the asker's present permission ends.
- Permissions follow each other without a gap. A node whose permission has ended stops, and begins only with the database: in
  between its cameras may have been given away, and nobody here would know. So it is for a node that was started anew: its
  permission lies in a file, and if it is still good, it goes on as if nothing had happened.
- Nodes come and go. A node asks those that it knows of, and tells the database which set that is; the placer needs half of
  every set that a registered node may still believe in. A node that is gone for good is forgotten by the operator, who vouches
  for it.

One node alone is more than half, and nobody can act without it: it keeps its cameras for ever, and begins again by itself. Of
two, both must lack the database; of four, three. A node that is cut off from the others and from the database stops: it cannot
tell this from being the only one that is cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock

import msgspec


@dataclass(frozen=True)
class Timing:
    """What follows from the length of a lease, all in seconds."""

    lease: float

    @property
    def renew(self) -> float:
        """Between two renewals."""
        return self.lease / 8

    @property
    def margin(self) -> float:
        """So long before its lease ends a node stops its cameras."""
        return self.lease / 6

    @property
    def give_up(self) -> float:
        """A session without an answer for so long is ended by the node."""
        return self.lease * 0.45

    @property
    def fresh(self) -> float:
        """Only who has renewed within this counts; ``fleet.presence`` has the same."""
        return self.lease / 4

    @property
    def delay(self) -> float:
        """For what is on its way when a session is ended."""
        return self.lease / 12

    @property
    def ask(self) -> float:
        """Between two questions to the others, and the longest that one is waited for."""
        return self.lease / 12


class Answer(msgspec.Struct, frozen=True):
    """What a node says that another one has asked."""

    has_lease: bool
    counted_seconds: float = 0.0
    """For how long its former session may still count."""


@dataclass(frozen=True)
class Heard:
    """An answer, and when it came."""

    answer: Answer
    received: float


class Permission:
    """Until when one node may run its cameras. For several threads.

    Args:
        name: of the node.
        timing: of the fleet.
        now: the present moment.
        ends: when the lease ends of the process that this one follows; 0: there was none.
    """

    def __init__(self, name: str, timing: Timing, now: float = 0.0, ends: float = 0.0) -> None:
        self._name, self.timing = name, timing
        self._ends = ends
        """The earliest moment at which somebody may act as if this node were gone."""
        self._since: float | None = None
        """Of the present session; None: there is none."""
        self._answered = 0.0
        self._counted_until = now + timing.fresh + timing.delay if ends else 0.0
        self._lock = Lock()

    @property
    def until(self) -> float:
        """When the cameras must have been stopped."""
        return self._ends - self.timing.margin

    @property
    def has_session(self) -> bool:
        """Whether there is a session that holds the lease, or may."""
        return self._since is not None

    def opening(self, now: float) -> None:
        """A session is about to take the lease; at the server it is said before that this one is not settled."""
        with self._lock:
            self._since = self._answered = now

    def closed(self, now: float) -> None:
        """The session has been ended from here, and sends nothing more."""
        with self._lock:
            if self._is_settled(now):
                self._counted_until = now + self.timing.fresh + self.timing.delay
            self._since = None

    def is_settled(self, now: float) -> bool:
        """Whether the present session may count."""
        with self._lock:
            return self._is_settled(now)

    def answered(self, sent: float) -> None:
        """What was sent then has been answered; the locks of the cameras that run are not held yet."""
        with self._lock:
            self._answered = sent

    def renewed(self, sent: float) -> None:
        """What was sent then has been answered, and the locks of all cameras that run are held."""
        with self._lock:
            self._answered = sent
            self._ends = max(self._ends, sent + self.timing.lease)

    def is_given_up(self, now: float) -> bool:
        """Whether the session is to be ended, as nothing was answered for too long."""
        with self._lock:
            return self._since is not None and now - self._answered > self.timing.give_up

    def answer(self, now: float) -> Answer:
        """What to tell a node that asks."""
        with self._lock:
            return Answer(self._since is not None, max(0.0, self._counted_until - now))

    def heard(self, nodes: Collection[str], answers: Mapping[str, Heard], asked: float, now: float) -> bool:
        """Take what the others have answered; return whether that prolongs the permission.

        Args:
            nodes: all that there are, this one among them, as the database was told that this one knows.
            answers: by node.
            asked: when the question was sent.
            now: it counts only while the permission has not ended.
        """
        with self._lock:
            if self._since is not None or (now >= self.until and set(nodes) != {self._name}):
                return False
            without = {name for name, one in answers.items() if name in nodes and self._lacks(one)} - {self._name}
            if self._counted_until <= max(self._ends, now):
                without.add(self._name)
            if not _is_more_than_half(without, nodes):
                return False
            self._ends = max(self._ends, asked + self.timing.lease)
            return True

    def _lacks(self, heard: Heard) -> bool:
        answer = heard.answer
        return not answer.has_lease and heard.received + answer.counted_seconds <= self._ends

    def _is_settled(self, now: float) -> bool:
        return self._since is not None and now - self._since >= self.timing.lease


def _is_more_than_half(some: Collection[str], nodes: Collection[str]) -> bool:
    """Whether these are more than half of all nodes: then others are fewer than half."""
    return 2 * len(some) > len(nodes)
