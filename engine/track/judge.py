"""The interface by which the tracker asks whether two faces are of one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from engine.contracts.frames import Float32, Planes


@dataclass(frozen=True, slots=True)
class Limits:
    """Cosines that decide for two faces of a size."""

    different: float
    """Below this, one comparison is enough to say that it is somebody else."""
    even: float
    """Decides if all comparisons lie in between."""
    same: float
    """From this on, one comparison is enough to say that it is the same person."""


class Judge(Protocol):
    """Compares faces."""

    def look(self, planes: Planes, box: Float32, landmarks: Float32 | None) -> Any:
        """Return what is needed of a face to compare it later; None if it cannot be compared."""
        ...

    def vector(self, look: Any) -> Float32 | None:
        """Return the face as a vector of length 1; None if it cannot be computed."""
        ...

    def limits(self, width_px: float) -> Limits:
        """Return the deciding cosines for faces of a width."""
        ...
