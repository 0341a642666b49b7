"""Converts decoded pictures of any mode to 8-bit BGR, as a viewer shows them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageFilter

from engine.contracts.frames import Uint8

if TYPE_CHECKING:
    from engine.decode.tone_map import Transfer

_PLAIN = {"L", "RGB", "RGBA", "CMYK"}
"""Modes to which colour profiles are applied directly."""
_STRIP_PX = 1 << 22
"""Pixels converted at a time: for a whole picture of 100 megapixels each step would take 300 MB."""
_BRIGHTEST = {"I": (65535, 2**31 - 1, 2**32 - 1), "F": (1, 255, 65535)}
"""Possible white levels of grey pictures with 16 and 32 bits; fractions are 0 to 1 by convention, but some programs write other
ranges. The smallest level that covers all values is used.
"""
_Convert = Callable[[Image.Image], Image.Image]


def bgr_of(image: Image.Image, transfer: Transfer | None = None) -> Uint8:
    """Return (height, width, 3) uint8 BGR, 0 to 255.

    Colour profiles are applied, transparent parts are white, 16-bit greys are reduced to 8 bits. If there is a gain map the
    base picture is shown.

    Args:
        image: loaded, of any mode.
        transfer: transfer function of an HDR picture, which is tone-mapped as for an SDR screen; None: it is SDR.

    Raises:
        ValueError: Pillow cannot convert its mode to RGB.
    """
    image = _in_8_bits(image)
    convert = _convert(image, transfer)
    width, height = image.size
    tall = max(1, _STRIP_PX // width)
    bgr = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, tall):
        strip = convert(image.crop((0, top, width, min(top + tall, height))))
        bgr[top : top + tall] = cv2.cvtColor(np.asarray(strip), cv2.COLOR_RGB2BGR)
    return bgr


def _convert(image: Image.Image, transfer: Transfer | None) -> _Convert:
    """Return a function that converts parts of a picture to RGB."""
    to_screen = _tone_mapped(transfer) if transfer else None
    if image.has_transparency_data:
        to_srgb = to_screen or _to_srgb(image, "RGBA")

        def on_white(part: Image.Image) -> Image.Image:
            part = to_srgb(part.convert("RGBA"))
            return Image.alpha_composite(Image.new("RGBA", part.size, "white"), part).convert("RGB")

        return on_white
    if to_screen:
        return lambda part: to_screen(part.convert("RGB"))
    to_srgb = _to_srgb(image, image.mode) if image.mode in _PLAIN else _as_it_is
    return lambda part: to_srgb(part).convert("RGB")


def _as_it_is(part: Image.Image) -> Image.Image:
    return part


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Reduce greys of more than 8 bits: Pillow's own conversion clips them at 255."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    stored = np.asarray(image)
    if image.mode == "I" and stored.min(initial=0) < -32768:  # unsigned 32 bits, which Pillow reads as signed
        stored = stored.view(np.uint32)
    values = np.nan_to_num(stored.astype(np.float32))
    largest = values.max(initial=0)
    whites = _BRIGHTEST.get(image.mode, (65535,))
    white = next((one for one in whites if largest <= one), whites[-1])
    return Image.fromarray(np.clip((values * (255 / white)).round(), 0, 255).astype(np.uint8))


def _tone_mapped(transfer: Transfer) -> _Convert:
    from engine.decode.tone_map import GRID, colours  # imports PyAV

    table = ImageFilter.Color3DLUT(GRID, colours(transfer).astype(np.float32).ravel())
    return lambda part: part.filter(table)


def _to_srgb(image: Image.Image, mode: str) -> _Convert:
    """Return a function that applies the picture's colour profile; a damaged or unfitting one is ignored, as in viewers."""
    data = image.info.get("icc_profile")
    if not data:
        return _as_it_is
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return _as_it_is
        shown = "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, shown)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return _as_it_is

    def apply(part: Image.Image) -> Image.Image:
        return ImageCms.applyTransform(part, transform) or part

    return apply
