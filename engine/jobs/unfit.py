"""Workers that were not fit when they were asked, as without the storage or the folder: each is tried again after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from engine.errors import UsageError
from engine.jobs.attempts import LOSSES, pause_seconds


class _Node(NamedTuple):
    failures: int
    """Rounds: what its workers say within one pause is one."""
    due: float


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
        self._why, self._may_pass = "", False

    def note(self, node: str, why: str, *, may_pass: bool) -> bool:
        """Remember a worker that is not fit; return whether its node has not said so before.

        Args:
            node: where it was.
            why: as a sentence.
            may_pass: whether that may be otherwise soon, with nobody doing anything.
        """
        now, known = self._clock(), self._nodes.get(node, _Node(0, 0.0))
        if now >= known.due:
            known = self._nodes[node] = _Node(known.failures + 1, now + pause_seconds(known.failures + 1))
        self._places.append(known.due)
        self._why, self._may_pass = why, may_pass
        is_new = (node, why) not in self._told
        self._told.add((node, why))
        return is_new

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
            UsageError: nothing is likely to change.
        """
        tried = max((node.failures for node in self._nodes.values()), default=0)
        if tried >= (LOSSES if self._may_pass else 1):
            raise UsageError(self._why)
