"""A photograph that is compared with results: one of its faces, its vector, and what limits a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Quality


@dataclass(frozen=True, eq=False)
class Photographed:
    """One face of a photograph, or of a track that is looked for as one."""

    label: str
    """What to call it."""
    vector: NDArray[np.float32]
    """(d,) of length 1."""
    quality: Quality
    picture: bytes
    """The face, for a page; empty: it is not there any more."""
    remarks: list[str]
    """Sentences on how it was chosen."""
    mirrored: NDArray[np.float32] | None = None
    """(d,) of length 1, of the mirrored face; None: it is not known."""
    media_type: str = "image/jpeg"
    """Of ``picture``."""
