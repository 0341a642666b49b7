"""Still pictures of every kind, drawn so that each corner has its colour."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from PIL import Image

LYING = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How the stored picture lies, for each value of EXIF's orientation."""


def corners(width=96, height=64):
    """Smooth, with red in the upper left corner, green in the upper right, blue in the lower left, and white; RGB."""
    small = np.array([[[220, 30, 30], [30, 200, 30]], [[30, 30, 220], [230, 230, 230]]], np.uint8)
    return Image.fromarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def lying(image, orientation):
    """Return the picture as a camera stores it, and EXIF data that say how to show it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = LYING[orientation]
    return (image if how is None else image.transpose(how)), exif


def bgr(image):
    """A Pillow picture as it should be read."""
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def png(width, height, content=b""):
    """A PNG file that says how large it is, whatever it holds."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
