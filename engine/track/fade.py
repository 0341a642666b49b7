"""Detects where one scene fades into another: a steady change everywhere that neither light nor camera motion explains.

A dissolve adds the same difference to each frame for half a second or so. So do a dimmed lamp (the difference then resembles
the picture itself) and a slowly moving camera (it then resembles the picture's gradient); people who move change little of a
picture, and hardly ever twice in the same way. In the end the new picture must differ from the one before the change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.track.small_picture import SAME_SCENE, found_again

_EVEN = 0.4
"""Correlation of a difference with the two before it."""
_EXPLAINED = 0.6
"""Largest share of a difference that light and camera motion may explain."""
_LEAST_LEVELS = 0.4
_LEAST_BLOCKS = 9
"""Number of blocks, of twelve, that change by this much on average."""
_FRAMES = 2
"""Least number of such frames in a row."""
_MOST_FRAMES = 14
"""Time within which a fade is half over: a slow zoom takes longer to become another picture."""


class FadeWatch:
    """Watches the small pictures of one stream in turn, see ``small_picture.detail_of``."""

    def __init__(self) -> None:
        self._last: Float32 | None = None
        self._differences: list[Float32] = []
        self._row = 0
        self._start: Float32 | None = None
        """The picture before the change began."""
        self._is_over_half = False

    def is_fading(self, now: Float32) -> bool:
        """Tell whether one scene is fading into another, from about the middle of the fade on.

        Args:
            now: (36, 64) luma levels.
        """
        if self._last is not None:
            self._differences = [*self._differences[-2:], now - self._last]
        self._last = now
        self._row = self._row + 1 if self._is_even() and not self._is_explained(now) else 0
        if self._row == 0:
            self._start, self._is_over_half = None, False
        elif self._start is None or (self._row % _MOST_FRAMES == 0 and not self._is_over_half):
            self._start = np.asarray(now - sum(self._differences), np.float32)
        elif self._row >= _FRAMES and not self._is_over_half:
            found = found_again(self._start, now)
            self._is_over_half = found is not None and found < SAME_SCENE
        return self._is_over_half

    def reset(self) -> None:
        """Forget all pictures."""
        self._last, self._differences, self._row = None, [], 0
        self._start, self._is_over_half = None, False

    def _is_even(self) -> bool:
        if len(self._differences) < 3:
            return False
        newest = self._differences[-1]
        blocks = np.abs(newest).reshape(3, 12, 4, 16).mean(axis=(1, 3))
        if int((blocks > _LEAST_LEVELS).sum()) < _LEAST_BLOCKS:
            return False
        return all(_correlation(newest, older) > _EVEN for older in self._differences[:-1])

    def _is_explained(self, now: Float32) -> bool:
        """Whether a change of light, a shift or a zoom explains most of the newest difference."""
        difference = self._differences[-1]
        middle = now - difference / 2
        down, right = np.gradient(middle)
        rows, columns = np.mgrid[-1 : 1 : middle.shape[0] * 1j, -1 : 1 : middle.shape[1] * 1j]
        causes = np.stack([middle, down, right, rows * down + columns * right]).reshape(4, -1).astype(np.float64)
        shares = np.linalg.lstsq(causes @ causes.T, causes @ difference.ravel(), rcond=None)[0]
        return bool(shares @ causes @ difference.ravel() > _EXPLAINED * (difference.astype(np.float64) ** 2).sum())


def _correlation(one: Float32, other: Float32) -> float:
    a: NDArray[np.float32] = one.ravel() - one.mean()
    b: NDArray[np.float32] = other.ravel() - other.mean()
    return float(a @ b / max(float(np.sqrt((a @ a) * (b @ b))), 1e-6))
