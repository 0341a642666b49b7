"""Reads the pictures of an animation in turn: WebP, whose animations FFmpeg does not read, PNG, AVIF and GIF."""

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
"""In other formats several pictures are pages, or one picture at several sizes."""
_SHORTEST_MS, _SHOWN_MS = 11, 100
"""Shortest duration of a picture, as in browsers."""


class Animation:
    """An open animated picture. Iterate once.

    Iterating gives the time of each picture in milliseconds from the beginning, and a function that returns it as (height,
    width, 3) BGR, upright; call it before the next step. It raises ``PictureError`` if the picture is damaged.

    Args:
        path: its name in messages.
        image: with several pictures.
    """

    def __init__(self, path: Path, image: Image.Image) -> None:
        self._path, self._image = path, image
        # An animated PNG may begin with a still picture for programs without animation.
        self._first = 1 if image.info.get("default_image") else 0
        self.pictures = int(getattr(image, "n_frames", 1)) - self._first
        """Number of pictures."""

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
        except Exception as error:  # decoders raise all kinds of exceptions on damaged files
            raise PictureError(f"{self._path} is damaged at its picture {place + 1} of {self.pictures} ({error})") from error

    def _milliseconds(self) -> int:
        told = round(float(self._image.info.get("duration") or 0))
        return told if told >= _SHORTEST_MS else _SHOWN_MS


def animation_of(path: Path) -> Animation | None:
    """Open an animated picture; None: it is not animated, or cannot be read, which the reader of still pictures reports."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures
            image = open_still(io.BytesIO(read_content(path)))
        if image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1:
            check_size(path, image)
            return Animation(path, image)
        image.close()
    except Exception:  # of any kind: the reader of still pictures reports it
        return None
    return None
