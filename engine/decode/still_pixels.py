"""From a decoded picture of any mode to 8-bit BGR, as a viewer shows it."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageCms

from engine.contracts.frames import Uint8

_PLAIN = {"L", "RGB", "RGBA", "CMYK"}
"""Modes that colour profiles are applied to as they are."""


def bgr_of(image: Image.Image) -> Uint8:
    """Return (height, width, 3) uint8 BGR, 0 to 255.

    Colour profiles are applied, transparent parts are white, 16-bit greys are reduced to 8 bits. High dynamic range is shown by
    the base picture where there is a gain map, else by its code values.

    Args:
        image: loaded, of any mode.

    Raises:
        ValueError: Pillow knows no way from its mode to colours.
    """
    image = _in_8_bits(image)
    if image.has_transparency_data:
        image = _as_srgb(image.convert("RGBA"))
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    elif image.mode in _PLAIN:
        image = _as_srgb(image)
    return np.asarray(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Reduce greys of more than 8 bits: Pillow's own conversion cuts them off at 255."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    # Fractions are 0 to 1 by convention, but some programs write 0 to 255.
    brightest = 65535 if image.mode != "F" else 1 if values.max(initial=0) <= 1 else 255
    return Image.fromarray(np.clip((values * (255 / brightest)).round(), 0, 255).astype(np.uint8))


def _as_srgb(image: Image.Image) -> Image.Image:
    """Apply the picture's colour profile; one that is damaged or does not fit is left out, as viewers do."""
    data = image.info.get("icc_profile")
    if not data:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        shown = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return shown or image
