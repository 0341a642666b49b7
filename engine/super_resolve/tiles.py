"""Large pictures in tiles, so that the memory a network needs does not grow with the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from engine.contracts.frames import Uint8
from engine.super_resolve.generator import Generator

AT_ONCE_PX = 640 * 640
"""A picture with no more pixels than this is enlarged as a whole."""
_TILE_PX, _MARGIN_PX = 384, 32
"""Side of a tile and width of its margin, in pixels. The margin is computed and discarded: it exceeds the receptive field of
face networks.
"""
Window = tuple[int, int, int, int]
"""Top, bottom, left and right of a tile."""


class TiledGenerator:
    """A generator that takes pictures of any size; see ``Generator``.

    Args:
        generator: enlarges the tiles; it is closed with this one.
        progress: called after each tile of a picture that needs several, with the number done and the total.
    """

    def __init__(self, generator: Generator, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        self._generator, self._progress = generator, progress
        self.name, self.sha256, self.licence = generator.name, generator.sha256, generator.licence
        self.runtime, self.profile = generator.runtime, generator.profile
        self.scale, self.colour = generator.scale, generator.colour

    def upscale(self, pictures: Sequence[Uint8], /) -> list[Uint8]:
        """See ``Generator.upscale``."""
        return [self._upscale(picture) for picture in pictures]

    def close(self) -> None:
        """See ``Generator.close``."""
        self._generator.close()

    def _upscale(self, picture: Uint8) -> Uint8:
        height, width = picture.shape[:2]
        if height * width <= AT_ONCE_PX:
            return self._generator.upscale([picture])[0]
        scale = self.scale
        whole = np.empty((height * scale, width * scale, *picture.shape[2:]), np.uint8)
        windows = list(_windows(height, width))
        for done, (top, bottom, left, right) in enumerate(windows, start=1):
            above, before = min(_MARGIN_PX, top), min(_MARGIN_PX, left)
            rows, columns = slice(top - above, bottom + _MARGIN_PX), slice(left - before, right + _MARGIN_PX)
            (tile,) = self._generator.upscale([np.ascontiguousarray(picture[rows, columns])])
            first_row, first_column = above * scale, before * scale
            last_row, last_column = first_row + (bottom - top) * scale, first_column + (right - left) * scale
            whole[top * scale : bottom * scale, left * scale : right * scale] = tile[
                first_row:last_row, first_column:last_column
            ]
            self._progress(done, len(windows))
        return whole


def _windows(height: int, width: int) -> Iterator[Window]:
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            yield top, min(top + _TILE_PX, height), left, min(left + _TILE_PX, width)
