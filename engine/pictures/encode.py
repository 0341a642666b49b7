"""Pictures as JPEG and PNG files."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from engine.errors import PublishError


def encode_picture(picture: Uint8, codec: Literal["jpeg", "png"] = "jpeg", quality: int = 95) -> bytes:
    """Return a picture as a file.

    Args:
        picture: (height, width) or (height, width, 1) grey, or (height, width, 3) BGR.
        codec: of the file.
        quality: of a JPEG, 1 to 100.

    Raises:
        PublishError: the encoder refuses the picture.
    """
    jpeg = codec == "jpeg"
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if jpeg else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    try:
        done, encoded = cv2.imencode(".jpg" if jpeg else ".png", picture, options)
    except cv2.error as error:
        raise PublishError(f"cannot encode a picture of shape {picture.shape} as {codec}: {error.err}") from error
    if not done:
        raise PublishError(f"cannot encode a picture of shape {picture.shape} as {codec}")
    return encoded.tobytes()


def small_jpeg(picture: Uint8, longest_px: int, quality: int) -> bytes:
    """Return a picture as a JPEG whose longer side is ``longest_px`` at most.

    Raises:
        PublishError: see ``encode_picture``.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, longest_px / max(height, width, 1))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    return encode_picture(np.asarray(small, np.uint8), "jpeg", quality)
