"""How old a message is, when the clocks of two machines differ."""

from __future__ import annotations

from typing import Literal

from engine.contracts.address import is_loopback
from engine.errors import ConfigError

_MAX_AGE_SECONDS = 1.0
_DISBELIEVED = 20
"""Old messages in a row, each of which came while nothing else was waiting: rather the clocks were set than all are late."""


def is_same_machine(endpoint: str) -> bool:
    """Return whether sender and reader certainly have the same clock."""
    return is_loopback(endpoint)


class AgeLimit:
    """Tells which messages are too old.

    On one machine the age is the reader's clock less ``sent_ns``. Between two it is counted from the fastest message so far,
    which takes out what the clocks differ by, and with it the shortest time that a message needs; a queue that is never shorter
    than some time is therefore taken for that much younger than it is.
    """

    def __init__(self, max_age_seconds: float, same_clock: bool) -> None:
        self._max_age_ns = int(max_age_seconds * 1e9)
        self._fastest_ns: int | None = 0 if same_clock else None
        self._same_clock = same_clock
        self._in_a_row = 0

    def is_stale(self, sent_ns: int, now_ns: int, waited: bool) -> bool:
        """Return whether a message is too old.

        Args:
            sent_ns: when it was sent, by the sender's clock.
            now_ns: now, by the reader's.
            waited: nothing was there to be read just before it came.
        """
        took_ns = now_ns - sent_ns
        if self._fastest_ns is None or (not self._same_clock and took_ns < self._fastest_ns):
            self._fastest_ns = took_ns
        if took_ns - self._fastest_ns <= self._max_age_ns:
            self._in_a_row = 0
            return False
        self._in_a_row = self._in_a_row + 1 if waited else 0
        if not self._same_clock and self._in_a_row >= _DISBELIEVED:
            self._fastest_ns, self._in_a_row = took_ns, 0
            return False
        return True


def age_limit(endpoint: str, max_age_seconds: float | Literal["auto"] | None, lossless: bool) -> AgeLimit | None:
    """Return the limit that a subscriber asked for, None where it wants none.

    Args:
        endpoint: of the publisher.
        max_age_seconds: ``auto``: 1 s, but none where the way is lossless.
        lossless: nothing gets lost on the way, so nothing should be skipped.

    Raises:
        ConfigError: it is not usable.
    """
    if max_age_seconds == "auto":
        max_age_seconds = None if lossless else _MAX_AGE_SECONDS
    if max_age_seconds is None:
        return None
    if not 0 < max_age_seconds < float("inf"):
        raise ConfigError(f"max_age_seconds is {max_age_seconds}: use a number of seconds above 0, or None")
    return AgeLimit(max_age_seconds, is_same_machine(endpoint))
