"""Reads the vectors of a run from its files; separate from ``vector_files``, so that code which only needs their names loads no
numpy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.archive.files import inside
from engine.archive.vector_files import row_bytes, vector_length


def mapped_vectors(directory: Path, name: str) -> NDArray[np.float32] | None:
    """Return a file of vectors, mapped: (n, d) float32; rows that have expired are zeros.

    Returns:
        None: no run calls a file so, or it lies elsewhere.

    Raises:
        OSError: it cannot be read.
    """
    if not (length := vector_length(name)) or (path := inside(directory, name)) is None:
        return None
    count = os.path.getsize(path) // row_bytes(name)
    return np.memmap(path, np.dtype("<f4"), "r", shape=(count, length)) if count else np.zeros((0, length), np.float32)
