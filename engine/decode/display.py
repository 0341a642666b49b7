"""Turns decoded pictures into what a player shows, for recordings, cameras and series of pictures alike.

interlaced lines -> HDR to SDR -> pixel format and square pixels (one scaling) -> cropped -> turned upright
"""

from __future__ import annotations

from fractions import Fraction
from typing import Generic, TypeVar

import av
from msgspec.structs import replace

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Planes
from engine.contracts.recording import Appearance
from engine.decode.cropping import Crop
from engine.decode.deinterlace import Deinterlacer
from engine.decode.orientation import Orientation
from engine.decode.planes import PlaneConverter
from engine.decode.tone_map import ToneMapper, hdr_transfer
from engine.pictures.blocks import BlockReader

Note = TypeVar("Note")
_Waiting = tuple[Fraction | None, BlockMap | None, Note]
_MOST_STRETCHED = 4
"""Largest plausible pixel aspect ratio: the widest pixels that recorders store are 2.9 times as wide as high."""
_LEAST_CHANGE = 0.01
"""Pixels this close to square are left alone: encoders write rounded ratios such as 4319:4320."""


def shown_size(width_px: int, height_px: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Return the size with square pixels; it grows along one side, so that no line or column is lost.

    Args:
        width_px: as stored.
        height_px: as stored.
        pixel_aspect: width over height of a stored pixel; None, 0 or implausible: square.
    """
    if not pixel_aspect or not Fraction(1, _MOST_STRETCHED) <= pixel_aspect <= _MOST_STRETCHED:
        return width_px, height_px
    if abs(pixel_aspect - 1) < _LEAST_CHANGE:
        return width_px, height_px
    if pixel_aspect > 1:
        return 2 * round(width_px * pixel_aspect / 2), height_px
    return width_px, 2 * round(height_px / pixel_aspect / 2)


class Display(Generic[Note]):
    """Shows the pictures of one stream. It keeps filters and tables between pictures; not thread-safe.

    Args:
        appearance: the user's settings.
        crop: the border that the container crops.
    """

    def __init__(self, appearance: Appearance | None = None, crop: Crop | None = None) -> None:
        self._crop = crop or Crop()
        appearance = appearance or Appearance()
        self._aspect = Fraction(appearance.aspect.replace(":", "/")) if appearance.aspect else None
        # The pixel shape waits with its picture: the next picture may have another, and filters lose the decoder's value.
        self._deinterlacer: Deinterlacer[_Waiting[Note]] = Deinterlacer(appearance.deinterlace)
        self._blocks = BlockReader()
        self._tone_mapper = ToneMapper()
        self._converter = PlaneConverter()
        self._orientation = Orientation(appearance.rotate)

    def show(
        self, picture: av.VideoFrame, pixel_aspect: Fraction | None, note: Note, qp: int | None = None
    ) -> list[tuple[Planes, Note]]:
        """Return the pictures that can be shown now, in order, each with its note: this one, none yet, or also the one before.

        Args:
            picture: as decoded, of any pixel format.
            pixel_aspect: width over height of its pixels, None if unknown.
            note: anything that must come out with it.
            qp: how strongly it was compressed as a whole, 0 to 51, for decoders that do not tell it by blocks; None: unknown.

        Raises:
            av.error.FFmpegError: FFmpeg cannot convert it.
            ValueError: likewise.
        """
        blocks = self._blocks.read(picture)
        if blocks is None and qp is not None:
            blocks = BlockMap.whole(qp, picture.width, picture.height)
        return self._all_shown(self._deinterlacer.take(picture, (pixel_aspect, blocks, note)))

    def flush(self) -> list[tuple[Planes, Note]]:
        """Return the held pictures: the stream ends here, or the next picture does not continue it."""
        return self._all_shown(self._deinterlacer.flush())

    def _all_shown(self, ready: list[tuple[av.VideoFrame, _Waiting[Note]]]) -> list[tuple[Planes, Note]]:
        return [(self._shown(picture, pixel_aspect, blocks), note) for picture, (pixel_aspect, blocks, note) in ready]

    def _shown(self, picture: av.VideoFrame, pixel_aspect: Fraction | None, blocks: BlockMap | None) -> Planes:
        turn = self._orientation.of(picture)
        if self._aspect is not None:
            pixel_aspect = self._aspect * picture.height / picture.width / self._crop.aspect
        size_px = shown_size(picture.width, picture.height, pixel_aspect)
        if hdr_transfer(picture) is not None:
            picture = self._tone_mapper.show(picture)
        planes = self._converter.convert(picture, size_px)
        if blocks is not None:
            planes = replace(planes, blocks=blocks.stretched(size_px[0] / picture.width, size_px[1] / picture.height))
        return turn.apply(self._crop.apply(planes))
