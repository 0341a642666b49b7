"""Metadata of a picture's file, and remarks on it for the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from engine.decode.heif_boxes import Primary, primary_of
from engine.decode.still_depth import is_deep

if TYPE_CHECKING:
    from engine.decode.tone_map import Transfer

_HEIF = {"HEIF", "AVIF"}
_TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
"""ITU-T H.273."""
_CICP = re.compile(rb"\0\0\0\x04cICP.(.)", re.DOTALL)
"""First bytes of a PNG file that are examined; the pixels come later."""
_EXIF, _ORIENTATION = re.compile(rb"Exif\0\0(II\*\0|MM\0\*)"), 0x0112
_MOST_EXIF_BYTES = 1 << 16
_PNG_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Told:
    """Metadata of a picture's file."""

    transfer: Transfer | None
    """Transfer function of the picture; None: it is SDR, like the base picture of a gain map."""
    remarks: tuple[str, ...]
    """What the picture read from the file lacks, as sentences without a full stop."""


def told_of(image: Image.Image, content: bytes, pages: int) -> Told:
    """Return the metadata of a picture's file.

    Args:
        image: opened, not decoded.
        content: of its file.
        pages: number of pictures in it.
    """
    primary = primary_of(content) if image.format in _HEIF else None
    coded = primary.transfer if primary else _transfer_of_png(image, content)
    transfer = _TRANSFERS.get(coded)
    said = []
    if pages > 1:
        which = "main one" if image.format == "HEIF" else "first"
        said.append(f"the {which} of the file's {pages} pictures was taken")
    if transfer:
        said.append("it is HDR, and is shown as on an SDR screen")
    elif is_deep(image, content):
        said.append("it has more than 8 bits per colour, of which 8 were kept")
    turned = _exif_turn(content) if primary and not primary.is_turned else 1
    if turned != 1:
        said.append(f"its EXIF data alone say that it is turned (orientation {turned}), which does not count in {image.format}")
    return Told(transfer, tuple(said))


def shows_through(image: Image.Image) -> bool:
    """Whether parts of a decoded picture are transparent."""
    if not image.has_transparency_data:
        return False
    bands = image.getbands()
    return "A" not in bands or image.getchannel("A").getextrema()[0] != 255


def _transfer_of_png(image: Image.Image, content: bytes) -> int:
    found = _CICP.search(content, 0, _PNG_HEAD_BYTES) if image.format == "PNG" else None
    return found[1][0] if found else Primary().transfer


def _exif_turn(content: bytes) -> int:
    found = _EXIF.search(content)
    if found is None:
        return 1
    exif = Image.Exif()
    try:
        exif.load(content[found.start() : found.start() + _MOST_EXIF_BYTES])
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data are ignored, as in viewers
        return 1
