"""Whether a face is a whole one: then it looks like itself in a mirror. Half a face does not."""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32
from engine.enrolment.portrait import Portrait
from engine.verify.embedder import Embedder
from engine.verify.open_set import open_set_of

LEAST_COSINE = 0.9
_MIRRORED = [1, 0, 2, 4, 3]
"""Landmarks: the eyes change places, and so do the corners of the mouth."""


def mirror_doubt(portrait: Portrait, vector: Float32, embedder: Embedder) -> str:
    """Return what speaks against a portrait as part of a sentence, with the cosine; empty where nothing does.

    Args:
        portrait: where it has no landmarks nothing is said.
        vector: of it, (length,) of length 1.
        embedder: made the vector. Of one that nothing was measured of nothing is said, see ``engine.verify.open_set``.

    Raises:
        InferenceError: the embedder fails.
    """
    if portrait.landmarks is None or open_set_of(embedder.sha256) is None:
        return ""
    picture, points = np.ascontiguousarray(portrait.bgr[:, ::-1]), portrait.landmarks[_MIRRORED].copy()
    points[:, 0] = portrait.bgr.shape[1] - 1 - points[:, 0]
    cosine = float(embedder.embed([picture], [points])[0] @ vector)
    if cosine >= LEAST_COSINE:
        return ""
    return f"looks different in a mirror (cosine {cosine:.3f}, below {LEAST_COSINE:.3f}): half of it may be hidden"
