"""Whether two photographs of a person may be copies of one: saved again, resized, cropped a little, mirrored.

A copy teaches nothing about a person, and that copies are alike says nothing. With the default embedder 202 of 214 copies of 24
pictures of LFW reach ``COPY_COSINE``; of the 46 mirrored ones among them 41 do, and 15 would without a look at the mirror
image. Of 117 pairs of different pictures of one person none does (``docs/results/gallery.md``).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.verify.embedder import Embedder
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.scores import cosines_with

COPY_COSINE = 0.99
"""Cosine from which two photographs may be copies, the second as it is or mirrored."""
_OTHER_SIDE = (1, 0, 2, 4, 3)
"""Where the landmarks are once left is right: eyes, nose tip, corners of the mouth."""


def both_ways(picture: Uint8, landmarks: Float32 | None, embedder: Embedder) -> tuple[Float32, Float32]:
    """Return the vectors (length,) of a face and of its mirror image.

    Args:
        picture: (height, width, 3) uint8 BGR.
        landmarks: (5, 2) in its pixels; None: see ``Embedder.embed``.
        embedder: makes the vectors.

    Raises:
        InferenceError: the model fails.
    """
    mirrored = None
    if landmarks is not None:
        x, y = landmarks[list(_OTHER_SIDE)].T
        mirrored = np.stack([picture.shape[1] - 1 - x, y], axis=1).astype(np.float32)
    [vector] = embedder.embed([picture], [landmarks])
    [mirror_vector] = embedder.embed([np.asarray(cv2.flip(picture, 1), np.uint8)], [mirrored])
    return vector, mirror_vector


def copy_cosine(name: str, vectors: Sequence[Float32], people: Snapshot) -> float | None:
    """Return how like a picture is to the one that it may be a copy of: ``COPY_COSINE`` to 1; None: it is no copy.

    Args:
        name: of the person in the picture, as ``person_name`` returns it.
        vectors: of its face, see ``both_ways``.
        people: who is enrolled with the embedder that made the vectors.
    """
    place = people.place(name)
    if place is None:
        return None
    best = max(float(cosines_with(vector, people.vectors(place)).max()) for vector in vectors)
    return best if best >= COPY_COSINE else None
