"""Numbers of tracks: each is given once in a run, and those of a recording are the same whatever is read beside it."""

from __future__ import annotations

from collections.abc import Sequence


class TrackIds:
    """Gives out growing numbers.

    Args:
        first: they begin here.
        shares: of ``n`` streams each has every n-th number; all others have those of the last one. None: all have all.
    """

    def __init__(self, first: int = 1, shares: Sequence[str] = ()) -> None:
        self._step = max(1, len(shares))
        self._places = {stream: place for place, stream in enumerate(shares)}
        self._next = [first + place for place in range(self._step)]

    def next_of(self, stream: str) -> int:
        """Return the number that the next track of a stream gets: those before have smaller ones."""
        return self._next[self._place(stream)]

    def take(self, stream: str) -> int:
        """Return a number for a new track of a stream."""
        number = self.next_of(stream)
        self._next[self._place(stream)] += self._step
        return number

    def _place(self, stream: str) -> int:
        return self._places.get(stream, self._step - 1)
