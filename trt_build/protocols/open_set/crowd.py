"""The crowd of strangers that normalises comparisons: means of groups, not the vectors of individuals."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32

GROUP = 8
"""Mean number of faces in one member of the crowd."""
_FEWEST = 5
"""A smaller group would reveal too much about its members, and is left out."""
_SEED = 20261128


def make_crowd(vectors: Float32) -> Float32:
    """Return means of groups of people who look alike, (K, length): k-means, without groups of fewer than five.

    Args:
        vectors: (N, length), one of each person.
    """
    cv2.setRNGSeed(_SEED % 10_000)
    count = max(len(vectors) // GROUP, 1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-6)
    groups = np.zeros((len(vectors), 1), np.int32)
    _, found, means = cv2.kmeans(np.asarray(vectors, np.float32), count, groups, stop, 3, cv2.KMEANS_PP_CENTERS)
    sizes = np.bincount(np.asarray(found).ravel(), minlength=count)
    return np.asarray(means, np.float32)[sizes >= _FEWEST]


def as_stored(crowd: Float32) -> Float32:
    """Return the crowd as it will be read again: it is stored in half precision."""
    return crowd.astype(np.float16).astype(np.float32)
