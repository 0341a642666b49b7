"""How large a picture is by the word of its file, before anything is decoded."""

from __future__ import annotations

import struct

MOST_PX = 100_000_000
"""Most pixels of a picture that is decoded: none that is written here has more, and no camera's. A file of half a megabyte may
claim ten times as many, which take 3 GB."""
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that give the size: SOF0 to SOF15."""
_PNG = b"\x89PNG\r\n\x1a\n"


def picture_size(file: bytes) -> tuple[int, int]:
    """Return width and height, in pixels, that a JPEG or PNG file says it has; nothing is decoded.

    Raises:
        ValueError: it is neither, or it is cut off before its size.
    """
    # Read here, as libraries do not serve for files that nobody knows: the bounds of Pillow and OpenCV are one for the whole
    # process, which is the user's; and Pillow's plugins, which know none, raise whatever a broken file makes them raise.
    try:
        if file.startswith(_PNG):
            width, height = struct.unpack(">II", file[16:24])
            return width, height
        if file.startswith(b"\xff\xd8"):
            return _jpeg_size(file)
    except (struct.error, IndexError) as error:
        raise ValueError("a picture that is cut off before its size") from error
    raise ValueError("neither a JPEG nor a PNG file")


def _jpeg_size(file: bytes) -> tuple[int, int]:
    at = 2
    while True:
        if file[at] != 0xFF:
            raise ValueError("a JPEG file with something else between its segments")
        marker = file[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:  # filling, and segments without a length
            at += 1 if marker == 0xFF else 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", file[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + struct.unpack(">H", file[at + 2 : at + 4])[0]
