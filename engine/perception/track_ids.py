"""Which number each track gets: one that no other track of the run has."""

from __future__ import annotations

from collections.abc import Sequence


class TrackIds:
    """Numbers that grow within a stream and are never given twice.

    Where the streams are known beforehand, each has its own: of three the second gets 2, 5, 8 and so on. What is found in a
    recording then has the same numbers in every run, however fast the others are read beside it.

    Args:
        first: the smallest.
        streams: all there will be, in their order; none: any may come, and they share one series.
    """

    def __init__(self, first: int = 1, streams: Sequence[str] = ()) -> None:
        self.step = max(1, len(streams))
        """From one number of a stream to its next."""
        self._next = {stream: first + place for place, stream in enumerate(streams)}
        self._shared = first

    def take(self, stream: str) -> int:
        """Return the number of the next track of a stream, which is given by that."""
        given = self.peek(stream)
        if self._next:
            self._next[stream] += self.step
        else:
            self._shared += 1
        return given

    def peek(self, stream: str) -> int:
        """Return the number that the next track of a stream would get."""
        return self._next[stream] if self._next else self._shared
