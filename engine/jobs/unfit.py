"""Workers that cannot work now, for example without access to the storage or the folder: each is tried again after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from engine.errors import UsageError
from engine.jobs.attempts import LOSSES, pause_seconds

_MOST_NAMED = 5


class _Node(NamedTuple):
    failures: int
    """Rounds: what its workers say within one pause is one."""
    due: float
    why: str = ""
    """What the last of them said."""
    may_pass: bool = False


class Unfit:
    """Pauses that double with each failure of a node, up to a minute, and end with its first worker that is fit.

    Args:
        clock: seconds; monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._nodes: dict[str, _Node] = {}
        self._places: list[float] = []
        """When each of those workers may be started anew."""
        self._told: set[tuple[str, str]] = set()

    def note(self, node: str, why: str, *, may_pass: bool) -> str:
        """Remember a worker that is not fit; return what to say of it, empty where that was said of its node before.

        Args:
            node: where it was.
            why: the reason, which may be that of other nodes, too.
            may_pass: whether that may be otherwise soon, with nobody doing anything.
        """
        now, known = self._clock(), self._nodes.get(node, _Node(0, 0.0))
        if now >= known.due:
            known = _Node(known.failures + 1, now + pause_seconds(known.failures + 1))
        self._nodes[node] = known._replace(why=why, may_pass=may_pass)
        self._places.append(known.due)
        is_new = (node, why) not in self._told
        self._told.add((node, why))
        return f"{node}: {why}" if is_new else ""

    def forget(self, node: str) -> None:
        """A worker on this node is fit."""
        self._nodes.pop(node, None)
        self._told = {told for told in self._told if told[0] != node}

    @property
    def pausing(self) -> int:
        """How many workers are not to be started yet."""
        now = self._clock()
        self._places = [due for due in self._places if due > now]
        return len(self._places)

    def check(self) -> None:
        """Ask whether to go on where there is no other worker.

        Raises:
            UsageError: nothing is likely to change; each reason is named once, with its nodes.
        """
        nodes = self._nodes
        if nodes and all(one.failures >= (LOSSES if one.may_pass else 1) for one in nodes.values()):
            whys = dict.fromkeys(one.why for one in nodes.values())
            of_each = {why: [name for name, one in nodes.items() if one.why == why] for why in whys}
            raise UsageError("; ".join(f"{_named(names)}: {why}" for why, names in of_each.items()))


def _named(nodes: list[str]) -> str:
    more = len(nodes) - _MOST_NAMED
    return ", ".join(nodes[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
