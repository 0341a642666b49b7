"""How long to wait before the next attempt to reach a camera."""

from __future__ import annotations

from random import Random

FACTOR = 2.0
UNSTABLE_SHARE = 0.25
"""Share of the cap that bounds the first wait after a connection that gave pictures, however often it breaks off."""
_MOST_STEPS = 40


class Backoff:
    """Waiting times that double up to a cap, with equal jitter: each is between half of its step and the whole of it.

    So cameras that went down together are not all contacted at the same moment, and none without a pause. Failed attempts in a
    row double the step from ``first_seconds`` up to ``cap_seconds``. Connections that gave pictures but did not last double the
    smallest step up to a quarter of the cap: a camera that is back is soon found again, and one that keeps breaking off is not
    flooded. Pure arithmetic: the caller waits.

    Args:
        first_seconds: the step of the first wait.
        cap_seconds: no step is longer.
        auth_seconds: the step after a refused password, always the same: cameras lock accounts after a few wrong ones.
        stable_seconds: a connection that lasted this long resets everything.
        chance: source of the jitter.
    """

    def __init__(
        self,
        first_seconds: float,
        cap_seconds: float,
        auth_seconds: float,
        stable_seconds: float,
        chance: Random | None = None,
    ) -> None:
        self._first_seconds, self._cap_seconds = min(first_seconds, cap_seconds), cap_seconds
        self._auth_seconds, self._stable_seconds = auth_seconds, stable_seconds
        self._chance = chance or Random()
        self._failures = 0
        self._short_lives = 0

    def wait_seconds(self, refused: bool = False) -> float:
        """Return how long to wait now, and lengthen the next wait.

        Args:
            refused: the camera refused the user name or password: wait at least ``auth_seconds``, and leave the steps
                unchanged.
        """
        if refused:
            return self._auth_seconds * self._chance.uniform(1.0, 1.1)
        unstable = min(self._step(self._short_lives - 1), max(self._first_seconds, UNSTABLE_SHARE * self._cap_seconds))
        step = max(self._step(self._failures), unstable)
        self._failures += 1
        return step * self._chance.uniform(0.5, 1.0)

    def lasted(self, live_seconds: float) -> None:
        """Note that a connection that gave pictures has ended, after ``live_seconds``."""
        self._failures = 0
        self._short_lives = 0 if live_seconds >= self._stable_seconds else self._short_lives + 1

    def _step(self, doublings: int) -> float:
        return min(self._cap_seconds, self._first_seconds * FACTOR ** max(0, min(doublings, _MOST_STEPS)))
