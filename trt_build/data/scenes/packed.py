"""Stores labelled pictures as arrays in one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trt_build.data.scenes.teacher import Labelled


def packed(labelled: list[Labelled]) -> dict[str, NDArray[Any]]:
    """Return labelled pictures as arrays for one file."""
    counts = [(*one.image.shape, len(one.boxes), len(one.unsure)) for one in labelled]
    return {
        "pixels": np.concatenate([one.image.ravel() for one in labelled]),
        "counts": np.array(counts, np.int64),
        "boxes": np.concatenate([one.boxes for one in labelled]),
        "points": np.concatenate([one.points for one in labelled]),
        "unsure": np.concatenate([one.unsure for one in labelled]),
    }


def unpacked(stored: Mapping[str, NDArray[Any]]) -> Iterator[Labelled]:
    """Yield the labelled pictures that ``packed`` was given."""
    pixels, boxes, points, unsure = (stored[name] for name in ("pixels", "boxes", "points", "unsure"))
    at, face, maybe = 0, 0, 0
    for height, width, faces, doubts in stored["counts"]:
        image = pixels[at : at + height * width].reshape(height, width)
        yield Labelled(image, boxes[face : face + faces], points[face : face + faces], unsure[maybe : maybe + doubts])
        at, face, maybe = at + height * width, face + faces, maybe + doubts
