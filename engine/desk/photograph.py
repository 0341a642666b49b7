"""A photograph that is compared with results: one of its faces, its vector, and what limits a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Quality


@dataclass(frozen=True, eq=False)
class Photographed:
    """One face of a photograph."""

    label: str
    """What to call it."""
    vector: NDArray[np.float32]
    """(d,) of length 1."""
    quality: Quality
    picture: bytes
    """JPEG of the face, for a page."""
    remarks: list[str]
    """Sentences on how it was chosen."""
    mirrored: NDArray[np.float32] | None = None
    """(d,) of length 1, of the mirrored face; None: it is not known."""
