"""Where the face of a track is at any time: between the faces that were written its box moves evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.footage.canvas import Box

REACH_SECONDS = 1.5
"""So long a box moves on before the first and after the last face, within its track."""
_LONE_SECONDS = 0.4
"""The same of a face whose motion is not known."""
_GAP_SECONDS = 4.0
"""Between faces that are farther apart nobody can say where the person was."""


class TrackPath:
    """The boxes of one track.

    Args:
        seconds: (n,) when faces were written, growing; n is at least 1.
        boxes: (n, 4) x, y, width, height of each.
        first: when the track begins, in seconds.
        last: when it ends.
    """

    def __init__(self, seconds: NDArray[np.float64], boxes: NDArray[np.float64], first: float, last: float) -> None:
        self._seconds, self._boxes = seconds, boxes
        self.first, self.last = min(first, float(seconds[0])), max(last, float(seconds[-1]))

    @property
    def tops(self) -> NDArray[np.float64]:
        """(n,) of the boxes that were written."""
        return self._boxes[:, 1]

    @property
    def bottoms(self) -> NDArray[np.float64]:
        """Likewise."""
        return self._boxes[:, 1] + self._boxes[:, 3]

    def at(self, now: float) -> Box | None:
        """Return the box at a time in seconds; None where the track is not there, or nobody can say where."""
        if not self.first <= now <= self.last:
            return None
        seconds = self._seconds
        after = int(np.searchsorted(seconds, now))
        if 0 < after < len(seconds):
            from_before, to_after = now - seconds[after - 1], seconds[after] - now
            if from_before + to_after > _GAP_SECONDS and min(from_before, to_after) > _LONE_SECONDS:
                return None
            return self._moved(after - 1, after, now)
        end = 0 if after == 0 else len(seconds) - 1
        if abs(now - seconds[end]) > (REACH_SECONDS if len(seconds) > 1 else _LONE_SECONDS):
            return None
        if len(seconds) == 1:
            return _box(self._boxes[0])
        x, y, _, _ = self._moved(0, 1, now) if end == 0 else self._moved(end - 1, end, now)
        width, height = self._boxes[end, 2:]
        return x, y, float(width), float(height)

    def _moved(self, before: int, after: int, now: float) -> Box:
        span = max(float(self._seconds[after] - self._seconds[before]), 1e-6)
        share = (now - float(self._seconds[before])) / span
        return _box(self._boxes[before] + share * (self._boxes[after] - self._boxes[before]))


def _box(row: NDArray[np.float64]) -> Box:
    x, y, width, height = row.tolist()
    return x, y, width, height
