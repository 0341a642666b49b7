"""Whether a picture's file has more than 8 bits per channel, which readers silently reduce to 8."""

from __future__ import annotations

import re

from PIL import Image

_HEAD_BYTES = 1 << 16
_PIXI = re.compile(rb"pixi\0{4}([\x01-\x04])(.{1,4})", re.DOTALL)
"""HEIF and AVIF property: the number of channels, and the bits of each."""
_SIZ = re.compile(rb"\xff\x4f\xff\x51.{36}(..)(.{12})", re.DOTALL)
"""JPEG 2000 marker: the number of components, and three bytes for each, the first being its bits minus one."""
_MOST_PPM = 255


def is_deep(image: Image.Image, content: bytes) -> bool:
    """Return whether a picture has more than 8 bits per channel.

    Args:
        image: opened, not decoded.
        content: of its file.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        return True
    if image.format in ("HEIF", "AVIF"):
        return any(max(bits[: channels[0]]) > 8 for channels, bits in _PIXI.findall(content[:_HEAD_BYTES]))
    if image.format == "JPEG2000":
        siz = _SIZ.search(content, 0, _HEAD_BYTES)
        return siz is not None and max((bits & 0x7F) + 1 for bits in siz[2][: 3 * int.from_bytes(siz[1]) : 3]) > 8
    return any(_is_deep(tile[-1]) for tile in getattr(image, "tile", ()))


def _is_deep(stored: object) -> bool:
    """Whether Pillow's description of the stored pixels, such as ``RGB;16B`` or ``("RGB", 65535)``, says so."""
    told = stored if isinstance(stored, tuple) else (stored,)
    is_ppm = len(told) == 2 and isinstance(told[1], int)
    return ";16" in str(told[0]) or (is_ppm and told[1] > _MOST_PPM)
