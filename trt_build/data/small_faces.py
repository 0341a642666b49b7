"""Small faces only, from which the unpaired system learns.

To prove that it has seen no high resolution, a source with a larger picture is refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from trt_build.data import degradation
from trt_build.data.faces import Faces, grey_pictures, load_faces, to_size
from trt_build.errors import DataError
from trt_build.writing import writable

LARGEST_PX = 48
"""Largest side of a picture that counts as a small face."""
Done = Callable[[int, int], None]


class SmallFaces:
    """Pictures of small faces, resized to one size.

    Args:
        source: a zip or folder, for instance of crops kept by ``facestream run --out``.
        side_px: side of the resulting squares.

    Raises:
        DataError: there is none, one cannot be read, or one is larger than ``LARGEST_PX``.
    """

    def __init__(self, source: Path, side_px: int) -> None:
        pictures = [_square(_small(name, image, source), side_px) for name, image in grey_pictures(source, "small faces")]
        self.images: Uint8 = np.stack(pictures)
        """(N, side_px, side_px) luma."""


def _small(name: str, image: Uint8, source: Path) -> Uint8:
    if max(image.shape) > LARGEST_PX:
        raise DataError(
            f"'{name}' in '{source}' has {image.shape[1]}x{image.shape[0]} px: this system learns from small faces alone and "
            f"refuses any larger than {LARGEST_PX} px; `trt-build small-faces` makes small ones."
        )
    return image


def _square(image: Uint8, side_px: int) -> Uint8:
    shrinks = max(image.shape) >= side_px
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side_px, side_px), interpolation=how), np.uint8)


def write_small_faces(source: Path, out: Path, side_px: int, count: int, seed: int, done: Done) -> int:
    """Write small, degraded versions of large faces to a zip, as a stand-in for a surveillance data set; return how many.

    Args:
        source: a zip or folder of square faces.
        out: the zip.
        side_px: side of the small faces.
        count: most faces, drawn by the seed.
        seed: of the draw and of the simulated camera.
        done: called with the number of written faces and the total.

    Raises:
        DataError: the source cannot be read, its faces are smaller than four times ``side_px``, ``count`` is below 1, or
            ``out`` cannot be written.
    """
    if count < 1:
        raise DataError("--count must be at least 1.")
    faces = load_faces(source)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(faces.names))[:count])
    large = to_size(faces.images[chosen], 4 * side_px)
    with writable(out), zipfile.ZipFile(out, "w") as archive:
        for number, (name, image) in enumerate(_degraded(faces, chosen.tolist(), large, side_px, seed), start=1):
            archive.writestr(f"{name.rsplit('.', 1)[0]}.png", cv2.imencode(".png", image)[1].tobytes())
            done(number, len(chosen))
    return len(chosen)


def _degraded(faces: Faces, chosen: list[int], large: Uint8, side_px: int, seed: int) -> Iterator[tuple[str, Uint8]]:
    for index, image in zip(chosen, large, strict=True):
        yield faces.names[index], degradation.first_order(image, side_px, np.random.default_rng((seed, index)))
