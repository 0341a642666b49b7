"""Detects changes to another scene: an edit, another camera, another preset.

Each frame is reduced to a small luma picture that keeps only detail. Its twelve blocks are searched for in the small picture of
the frame before, first in the same place, then around it. A continuing scene is found again under other light, after a shake
and in a fast pan: correlation ignores brightness and contrast. A frame without detail, such as a white-out or black, is
skipped: the frame after it is compared with the one before it.

Measured on 55 surveillance clips and 13 others, frame by frame: within a scene at least 0.67 of the blocks are found again (but
for one clip of people who fill the picture while frames are missing: 0.33), in 99 of 100 photographs 0.58 under noise with a
standard deviation of 25, 0.77 under a flash, 0.75 in a pan of 9 % of the width a frame, 0.60 in a zoom of 1.1; a pan of 15 % or
a zoom of 1.3 a frame is a cut. Of two photographs 0.33 are found in 99 of 100 cases, as of two portraits with their eyes in the
same places: in a row of 600 photographs no change is missed, in one of 2,000 portraits one. For scenes that fade into each
other see ``fade``.
"""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.track.fade import FadeWatch
from engine.track.small_picture import SAME_SCENE, detail_of, found_again

_STILL_LEVELS = 1.0
"""Mean difference in luma levels up to which two small pictures need no closer comparison."""


class SceneCuts:
    """Watches the frames of one stream in turn. Use it from one thread."""

    def __init__(self) -> None:
        self._before: Float32 | None = None
        self._fade = FadeWatch()
        self.is_fading = False
        """Whether the last frame is a mixture of two scenes, in which no face can be trusted."""

    def is_cut(self, luma: Uint8) -> bool:
        """Tell whether this frame shows, or fades into, another scene than the one before; False for the first frame.

        Args:
            luma: (height, width), 0 to 255; its size may change, which alone is no cut.
        """
        now = detail_of(luma)
        was_fading, self.is_fading = self.is_fading, self._fade.is_fading(now)
        return self._is_other(now) or (self.is_fading and not was_fading)

    def reset(self) -> None:
        """Forget all frames: the next one is the first."""
        self._before = None
        self._fade.reset()
        self.is_fading = False

    def _is_other(self, now: Float32) -> bool:
        before = self._before
        if before is None or np.abs(now - before).mean() < _STILL_LEVELS:
            self._before = now if before is None else before
            return False
        found = found_again(before, now)
        if found is None:
            return False
        self._before = now
        return found < SAME_SCENE
