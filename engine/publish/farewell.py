"""The end of a run: readers that are behind still get what is on its way to them, and are told that it is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from engine.publish.connections import Connection, connections_to, under_way
from engine.publish.patience import Patience

_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 5.0
"""A reader that has taken and asked nothing for so long is given up, except on ``push``."""
_MOST_SECONDS = 30.0


class Farewell:
    """Sees how far the readers are.

    Args:
        endpoint: bound; for messages.
        replay: bound; of the replay service, empty where there is none.
        patience: tells of a wait.
        is_push: there is no bound for readers that are behind.
    """

    def __init__(self, endpoint: str, replay: str, patience: Patience, *, is_push: bool) -> None:
        self._endpoint, self._replay, self._patience, self._is_push = endpoint, replay, patience, is_push
        self._behind: Mapping[Connection, int] = {}
        self._owed: set[Connection] = set()
        """Have been behind, and are still to be told the end. Who is behind by that alone, far away, is not told it again."""
        self._has_told = False
        self._requests, self._said = 0, False
        self._begun = self._busy_at = time.monotonic()
        self.caught_up = False
        """As of the last two looks: one that had been behind no longer is. What was sent last may have found no room for it."""

    def lasts(self, requests: int) -> bool:
        """Wait a moment and look; return whether somebody is behind, or may still ask.

        Args:
            requests: how often the replay service has been asked.
        """
        time.sleep(_LOOK_SECONDS)
        now, before, self._behind = time.monotonic(), self._behind, {}
        with suppress(OSError):  # too many files are open to look
            self._behind = under_way(self._endpoint)
        if not self._has_told:
            self._owed |= self._behind.keys()
        caught_up = self._owed - before.keys() - self._behind.keys()  # twice: libzmq may be about to hand the kernel more
        self._owed -= caught_up
        self.caught_up = bool(caught_up)
        self._has_told = self._has_told or self.caught_up
        # More on its way than before is nothing that was taken: heartbeats of libzmq follow what is queued.
        has_taken = any(self._behind.get(connection, 0) < size for connection, size in before.items())
        if has_taken or requests != self._requests:
            self._busy_at, self._requests = now, requests
            self._patience.is_over()
        if self._behind and self._is_push:
            self._patience.waits(self._endpoint)
            return True
        is_quiet = now - self._busy_at >= _QUIET_SECONDS or now - self._begun >= _MOST_SECONDS
        if self._behind and not self._said and not is_quiet and now - self._begun >= _QUIET_SECONDS:
            self._said = True
            self._patience.warn(f"a reader at {self._endpoint} is behind: the run stays for it, {_MOST_SECONDS:g} s at most")
        if self.caught_up:
            return True
        return not is_quiet and (bool(self._behind or self._owed) or self._may_be_asked())

    def end(self) -> None:
        """Say so if somebody is left behind."""
        if self._behind:
            self._patience.warn(f"a reader at {self._endpoint} was behind to the end: what it had not taken is lost for it")

    def _may_be_asked(self) -> bool:
        with suppress(OSError):
            return bool(self._replay) and any(True for _ in connections_to(self._replay))
        return False
