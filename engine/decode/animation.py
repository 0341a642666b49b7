"""Animated pictures, one after the other: WebP, of which FFmpeg reads no animation, PNG, AVIF and GIF."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from engine.contracts.frames import Uint8
from engine.decode.still import bgr_upright, check_size, open_still, read_content
from engine.errors import PictureError

_ANIMATED = {"AVIF", "GIF", "PNG", "WEBP"}
"""Of other formats several pictures are pages, or the same at several sizes."""
_SHORTEST_MS, _SHOWN_MS = 11, 100
"""A picture that is to be seen for less is seen so long, as browsers do."""


class Animation:
    """An animated picture, open. Iterate once.

    Iterating gives of each picture its time in milliseconds from the beginning, and a function that reads it, to be called
    before the next: (height, width, 3) BGR, upright; it raises ``PictureError`` where the picture is damaged.

    Args:
        path: for sentences.
        image: of several pictures.
    """

    def __init__(self, path: Path, image: Image.Image) -> None:
        self._path, self._image = path, image
        # An animated PNG may begin with a picture for those that know no animation.
        self._first = 1 if image.info.get("default_image") else 0
        self.pictures = int(getattr(image, "n_frames", 1)) - self._first
        """How many there are."""

    def __iter__(self) -> Iterator[tuple[int, Callable[[], Uint8]]]:
        ticks = 0
        for place in range(self.pictures):
            yield ticks, partial(self._read, place)
            ticks += self._milliseconds()

    def close(self) -> None:
        """May be called twice."""
        self._image.close()

    def _read(self, place: int) -> Uint8:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._image.seek(place + self._first)
                return bgr_upright(self._image)
        except Exception as error:  # decoders of damaged files raise whatever they stumble over
            raise PictureError(f"{self._path} is damaged at its picture {place + 1} of {self.pictures} ({error})") from error

    def _milliseconds(self) -> int:
        told = round(float(self._image.info.get("duration") or 0))
        return told if told >= _SHORTEST_MS else _SHOWN_MS


def animation_of(path: Path) -> Animation | None:
    """Return an animated picture, open; None: it is none, or cannot be read, as whoever reads it as a picture says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of its size
            image = open_still(io.BytesIO(read_content(path)))
        if image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1:
            check_size(path, image)
            return Animation(path, image)
        image.close()
    except Exception:  # of whatever kind: whoever reads it as a picture says so
        return None
    return None
