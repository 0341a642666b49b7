"""The border that a container crops: MP4's clean aperture, Matroska's PixelCrop.

Decoders apply the cropping of codecs; these two are read by FFmpeg, but not passed on by PyAV.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from engine.contracts.frames import Planes
from engine.decode.ebml import SEGMENT, elements
from engine.decode.mp4_boxes import boxes, inside, movie_box

_HEAD_BYTES = 1 << 20
"""Bytes in which Matroska's tracks, or their position, are searched for."""
_ENTRY_HEAD_BYTES = 78
"""Length of a video's entry in MP4's sample table before its boxes (ISO/IEC 14496-12, VisualSampleEntry)."""
_TRACKS, _TRACK_ENTRY, _TRACK_TYPE, _VIDEO = 0x1654AE6B, 0xAE, 0x83, 0xE0
_SEEK_HEAD, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x53AB, 0x53AC
_CROP_TOP, _CROP_LEFT, _CROP_RIGHT, _CROP_BOTTOM = 0x54BB, 0x54CC, 0x54DD, 0x54AA


class Crop(NamedTuple):
    """What is cut off, as shares of the stored picture's width (left, right) and height (top, bottom), 0 to 1."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    @property
    def aspect(self) -> Fraction:
        """Factor by which cropping changes width over height; 1 if nothing sensible would be left."""
        width, height = 1 - self.left - self.right, 1 - self.top - self.bottom
        return Fraction(width / height).limit_denominator(10_000) if min(width, height) > 0 else Fraction(1)

    def apply(self, planes: Planes) -> Planes:
        """Return a view of the visible part; the whole picture if nothing sensible would be left."""
        if self == _NOTHING:
            return planes
        width, height = planes.width_px, planes.height_px
        left, top = 2 * round(self.left * width / 2), 2 * round(self.top * height / 2)
        right, bottom = width - round(self.right * width), height - round(self.bottom * height)
        if left < 0 or top < 0 or right > width or bottom > height or right - left < 2 or bottom - top < 2:
            return planes
        luma = planes.y[top:bottom, left:right]
        rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
        blocks = planes.blocks and planes.blocks.cut(left, top, right - left, bottom - top)
        return Planes(luma, planes.u[rows, columns], planes.v[rows, columns], planes.matrix, planes.full_range, blocks)


_NOTHING = Crop()


def crop_of(path: Path, format_name: str, video_index: int) -> Crop:
    """Return the cropping of a video by its container.

    Args:
        path: the file.
        format_name: FFmpeg's name of the container.
        video_index: which of its video streams, from 0.
    """
    try:
        if "mp4" in format_name:
            crops = list(_mp4_crops(path))
        elif "matroska" in format_name:
            crops = list(_matroska_crops(path))
        else:
            return Crop()
    except (OSError, ValueError, struct.error, IndexError, StopIteration, RuntimeError, ZeroDivisionError):
        return Crop()
    return crops[video_index] if video_index < len(crops) else Crop()


def _mp4_crops(path: Path) -> Iterator[Crop]:
    """Yield the crop of each video track."""
    for kind, track in boxes(movie_box(path)):
        media = inside(track, b"mdia", b"minf") if kind == b"trak" else b""
        if b"vmhd" in dict(boxes(media)):
            entries = inside(media, b"stbl", b"stsd")[8:]
            yield _clean_aperture(next(boxes(entries))[1])


def _clean_aperture(entry: bytes) -> Crop:
    width, height = struct.unpack_from(">HH", entry, 24)
    box = dict(boxes(entry[_ENTRY_HEAD_BYTES:])).get(b"clap")
    if box is None or not width or not height:
        return Crop()
    numbers = struct.unpack(">IIIIiIiI", box[:32])
    kept_width, kept_height, right_by, down_by = (numbers[at] / numbers[at + 1] for at in (0, 2, 4, 6))
    # offset of the aperture's centre from the picture's
    left, top = (width - kept_width) / 2 + right_by, (height - kept_height) / 2 + down_by
    return Crop(left / width, top / height, (width - kept_width - left) / width, (height - kept_height - top) / height)


def _matroska_crops(path: Path) -> Iterator[Crop]:
    """Yield the crop of each video track."""
    for kind, track in elements(_matroska_tracks(path)):
        values = dict(elements(track)) if kind == _TRACK_ENTRY else {}
        if int.from_bytes(values.get(_TRACK_TYPE, b""), "big") == 1:
            video = {key: int.from_bytes(value, "big") for key, value in elements(values.get(_VIDEO, b""))}
            width, height = video.get(0xB0, 0), video.get(0xBA, 0)
            yield Crop(
                video.get(_CROP_LEFT, 0) / width,
                video.get(_CROP_TOP, 0) / height,
                video.get(_CROP_RIGHT, 0) / width,
                video.get(_CROP_BOTTOM, 0) / height,
            )


def _matroska_tracks(path: Path) -> bytes:
    """Return the content of the Tracks element; editors move it behind the pictures if it has outgrown its place."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        segment = dict(elements(head)).get(SEGMENT, b"")
        parts = dict(elements(segment))
        if _TRACKS in parts:
            return parts[_TRACKS]
        for _, seek in elements(parts.get(_SEEK_HEAD, b"")):
            told = dict(elements(seek))
            if int.from_bytes(told.get(_SEEK_ID, b""), "big") == _TRACKS:
                # Positions count from the beginning of the segment's content, which fills the rest of the data.
                file.seek(len(head) - len(segment) + int.from_bytes(told[_SEEK_POSITION], "big"))
                return dict(elements(file.read(_HEAD_BYTES))).get(_TRACKS, b"")
    return b""
