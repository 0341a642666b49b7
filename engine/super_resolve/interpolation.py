"""Enlarging without a network: the baselines that every generator is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from engine.contracts.profile import ONE

INTERPOLATIONS: dict[str, tuple[int, int]] = {
    "bicubic": (cv2.INTER_CUBIC, 4),
    "lanczos": (cv2.INTER_LANCZOS4, 4),
    "none": (cv2.INTER_NEAREST, 1),
}
"""OpenCV's method and the scale, by name; ``none`` returns faces unchanged."""


class Interpolation:
    """A generator without weights; see ``engine.super_resolve.generator.Generator``."""

    sha256 = ""
    licence = "no weights"
    runtime = f"opencv {cv2.__version__}"
    colour: Literal["luma", "bgr"] = "luma"
    profile = ONE

    def __init__(self, name: str) -> None:
        self.name = name
        self._method, self.scale = INTERPOLATIONS[name]

    def upscale(self, pictures: Sequence[Uint8], /) -> list[Uint8]:
        return [enlarge(picture, self.scale, self._method) for picture in pictures]

    def close(self) -> None:
        pass


def enlarge(picture: Uint8, scale: int, method: int = cv2.INTER_CUBIC) -> Uint8:
    """Return (h, w[, 3]) uint8 at ``scale`` times its size; pixel areas stay aligned, so nothing shifts."""
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (width * scale, height * scale), interpolation=method), np.uint8)
