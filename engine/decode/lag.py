"""Estimates the lag between two streams of the same scene from their pictures, if their clocks do not tell.

Each small picture of the sub-stream is compared with those of the main stream up to a second before and after; if something
moves they differ least at the right lag. Many comparisons are summed, and old ones fade. While nothing moves all lags look
alike, and the previous estimate is kept.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8

REACH_SECONDS = 1.0
_LOOK_PX = (32, 18)
_STEP_SECONDS = 0.01
_FADE = 0.97
_ENOUGH = 5.0
"""Least total weight of comparisons, after fading, for an estimate."""
_CLEAR = 0.25
"""How much better than the usual lag the best one must be."""
_WIDEST_GAP_SECONDS = 0.25
_KEPT = 128


def look_of(luma: Uint8) -> Float32:
    """Return a small picture with mean 0, from (height, width) luma."""
    step = max(1, min(luma.shape[1] // 128, luma.shape[0] // 72))
    small = cv2.resize(np.ascontiguousarray(luma[::step, ::step]), _LOOK_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - small.mean(), np.float32)


class Lag:
    """Estimates the lag. Pictures come with their positions in seconds, as in ``Moments``. Not thread-safe."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        """The estimate; None: unknown."""
        self._grid = np.arange(-REACH_SECONDS, REACH_SECONDS + _STEP_SECONDS / 2, _STEP_SECONDS)
        self._evidence = np.zeros_like(self._grid)
        self._weight = 0.0
        self._subs: deque[tuple[float, Float32]] = deque(maxlen=_KEPT)
        self._mains: deque[tuple[float, Float32]] = deque(maxlen=_KEPT)

    def note_sub(self, place: float, look: Float32) -> None:
        """Note a picture of the sub-stream."""
        self._subs.append((place, look))

    def note_main(self, place: float, look: Float32) -> None:
        """Note a picture of the main stream, in order."""
        if self._mains and place <= self._mains[-1][0]:
            self._mains.clear()  # its clock was restarted, or pictures were read twice
        self._mains.append((place, look))
        while self._subs and self._subs[0][0] + REACH_SECONDS <= place:
            self._compare(*self._subs.popleft())

    def forget(self) -> None:
        """Restart with a new main stream; the estimate is kept until there is a better one."""
        self._mains.clear()
        self._subs.clear()
        self._evidence[:] = 0.0
        self._weight = 0.0

    def _compare(self, place: float, look: Float32) -> None:
        near = [
            (there - place, other) for there, other in self._mains if abs(there - place) <= REACH_SECONDS + _WIDEST_GAP_SECONDS
        ]
        distances = np.array([distance for distance, _ in near])
        if (
            len(near) < 3
            or distances[0] > -REACH_SECONDS + _WIDEST_GAP_SECONDS
            or np.diff(distances).max() > _WIDEST_GAP_SECONDS
        ):
            return
        costs = np.abs(np.stack([other for _, other in near]) - look).mean(axis=(1, 2))
        self._evidence = _FADE * self._evidence + np.interp(self._grid, distances, costs)
        self._weight = _FADE * self._weight + 1.0
        best, usual = int(self._evidence.argmin()), float(np.median(self._evidence))
        if self._weight >= _ENOUGH and self._evidence[best] <= (1.0 - _CLEAR) * usual:
            self.seconds = float(self._grid[best])
