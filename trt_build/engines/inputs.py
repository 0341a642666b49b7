"""Makes inputs of a model from real faces, by its kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.engine_manifest import Profile
from engine.contracts.frames import Uint8
from engine.contracts.manifest import Manifest
from engine.detect.face_windows import face_windows
from engine.sessions.tensors import Tensor
from engine.verify.align import align
from trt_build.data.scenes.teacher import grey_planes
from trt_build.engines.real_faces import (
    LEAST_CALIBRATION,
    calibration_faces,
    grey_detector,
    pictures_with_faces,
    sides,
    small,
)
from trt_build.errors import DataError

_PICTURES = 360
Calibration = tuple[list[Tensor], str]
"""The inputs, and a description."""


def calibration_inputs(manifest: Manifest, profile: Profile, source: Path | None) -> Calibration:
    """Return inputs of at least 500 real faces, one tensor for each run.

    Raises:
        DataError: there are no such faces.
    """
    return _MAKERS[manifest.kind](manifest, profile, source)


def coloured(luma: Uint8) -> Uint8:
    """Return luma as (H, W, 3) BGR."""
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), np.uint8)


def _generator(manifest: Manifest, profile: Profile, source: Path | None) -> Calibration:
    faces = calibration_faces(source)
    possible = sides(1, *profile.sizes_px)
    pictures = (small(image, possible[number % len(possible)], number) for number, image in enumerate(faces.images))
    tensors = [_in_range(manifest, np.repeat(picture[None, None], manifest.channels, axis=1)) for picture in pictures]
    return tensors, f"{len(faces)} faces of {faces.source}, {possible[0]} to {possible[-1]} px, every other one degraded"


def _embedder(manifest: Manifest, profile: Profile, source: Path | None) -> Calibration:
    faces = calibration_faces(source)
    places = np.array(manifest.landmarks_px, np.float32) if manifest.landmarks_px else None
    tensors = []
    for number, (image, points) in enumerate(zip(faces.images, faces.points, strict=True)):
        side = (12, 16, 24, 32, 48, 144)[number % 6]
        picture = image if side == len(image) else small(image, side, number)
        chip = align(coloured(picture), (points + 0.5) * (side / len(image)) - 0.5, profile.sizes_px[1], places)
        tensors.append(_in_range(manifest, chip.transpose(2, 0, 1)[None]))
    return tensors, f"{len(faces)} faces of {faces.source}, 12 to 144 px"


def _detector(manifest: Manifest, profile: Profile, source: Path | None) -> Calibration:
    pictures = pictures_with_faces(_PICTURES, calibration=True)
    _check_count(sum(len(found) for _, found in _found(pictures.images)), pictures.source)
    tensors = [_padded(image, manifest.size_rule.multiple_of)[None, None] for image in pictures.images]
    return tensors, f"{len(tensors)} pictures of {pictures.source}"


def _second_look(manifest: Manifest, profile: Profile, source: Path | None) -> Calibration:
    pictures = pictures_with_faces(_PICTURES, calibration=True)
    tensors = [face_windows(image, boxes) for image, boxes in _found(pictures.images) if len(boxes)]
    count = sum(map(len, tensors))
    _check_count(count, pictures.source)
    return tensors, f"{count} faces in pictures of {pictures.source}"


_MAKERS = {"generator": _generator, "embedder": _embedder, "detector": _detector, "second_look": _second_look}


def _found(images: tuple[Uint8, ...]) -> Iterator[tuple[Uint8, Tensor]]:
    for image in images:
        (found,) = grey_detector().detect([grey_planes(image, full_range=True)])
        yield image, found.boxes


def _check_count(faces: int, source: str) -> None:
    if faces < LEAST_CALIBRATION:
        raise DataError(f"int8 and fp8 need at least {LEAST_CALIBRATION} real faces to calibrate on: {source} holds {faces}.")


def _in_range(manifest: Manifest, pixels: Uint8) -> Tensor:
    low, high = manifest.value_range
    return np.ascontiguousarray(pixels.astype(np.float32) * ((high - low) / 255) + low, manifest.dtype)


def _padded(image: Uint8, multiple: int) -> Uint8:
    bottom, right = (-side % multiple for side in image.shape)
    return np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(128,)), np.uint8)
