"""Seven real people with landmarks, an embedder without weights, and crops of them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Float32, FrameTime, Uint8
from engine.pictures.colour import planes_from_bgr
from engine.verify.align import align
from tests.crop.photographs import FOUND, PROFILE, picture

PEOPLE = [("astronaut", 0), *(("t1", index) for index in range(6) if index != PROFILE)]
"""Photograph and index of each person whose two eyes are visible; the astronaut is on no other photograph."""


def portrait(name: str, index: int, size_px: float | None = None, margin: float = 0.4) -> tuple[Uint8, Float32]:
    """Return one face cut out with margin, as (height, width, 3) BGR, and its landmarks (5, 2) in that picture.

    Args:
        name: see ``tests.crop.photographs.FOUND``.
        index: which face.
        size_px: geometric mean of the face's sides in the result; None: as photographed.
        margin: on each side, as a share of the face box.
    """
    values = np.array(FOUND[name][index], np.float32)
    (x, y, width, height), points = values[:4], values[4:].reshape(5, 2)
    whole = picture(name)
    left, top = max(0, round(x - margin * width)), max(0, round(y - margin * height))
    cut = whole[top : round(y + height * (1 + margin)), left : round(x + width * (1 + margin))]
    points = points - [left, top]
    if size_px is None:
        return cut, points.astype(np.float32)
    factor = size_px / float(np.sqrt(width * height))
    size = (round(cut.shape[1] * factor), round(cut.shape[0] * factor))
    scale = np.array([size[0] / cut.shape[1], size[1] / cut.shape[0]])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(cut, size, interpolation=how), ((points + 0.5) * scale - 0.5).astype(np.float32)


def crop_of(
    image: Uint8, landmarks: Float32 | None, track_id: int = 1, weight: float = 0.5, size_px: float = 60.0, stream: str = "cam1"
) -> FaceCrop:
    """Return a picture as a crop at (100, 50) of a frame; its box is the crop without a margin of 0.4."""
    image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    height, width = image.shape[:2]
    planes = planes_from_bgr(np.ascontiguousarray(image))
    box = (100 + width * 0.4 / 1.8, 50 + height * 0.4 / 1.8, width / 1.8, height / 1.8)
    points = None if landmarks is None else [(float(x) + 100, float(y) + 50) for x, y in landmarks]
    return FaceCrop(
        stream, track_id, FrameTime(0, 0, (1, 25), 0.0, 0), box, points, 0.9, Quality(size_px, 0.8, 0.9, weight),
        (100, 50, width, height), False, planes=planes,
    )  # fmt: skip


class ThumbnailEmbedder:
    """A stand-in without weights: the aligned face as 8x8 grey values around their mean."""

    name = "thumbnail"
    sha256 = "0" * 64
    licence = "Apache-2.0"
    runtime = "numpy"
    length = 64
    known_cosine = 0.9
    unknown_cosine = 0.5
    margin_cosine = 0.01
    min_size_px = 20.0

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        self.batches.append(len(pictures))
        faces = [align(image, points, 64).mean(axis=2) for image, points in zip(pictures, landmarks, strict=True)]
        small = np.array([cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA).ravel() for face in faces], np.float32)
        small = small.reshape(-1, 64) - small.reshape(-1, 64).mean(axis=1, keepdims=True)
        return small / np.linalg.norm(small, axis=1, keepdims=True)

    def close(self) -> None:
        pass
