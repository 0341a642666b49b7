"""What the tracker asks to learn whether two faces are one person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from engine.contracts.frames import Float32, Planes


@dataclass(frozen=True, slots=True)
class Limits:
    """Cosines of two faces of a size."""

    different: float
    """Below it one look is enough to say that it is somebody else."""
    even: float
    """What decides when all looks lie between."""
    same: float
    """From here on one look is enough to say that it is the same person."""


class Judge(Protocol):
    """Compares faces."""

    def look(self, planes: Planes, box: Float32, landmarks: Float32 | None) -> Any:
        """Return what must be kept of a face to compare it later; None where there is nothing to compare."""
        ...

    def vector(self, look: Any) -> Float32 | None:
        """Return the face as a vector of length 1, None where it cannot be computed."""
        ...

    def limits(self, width_px: float) -> Limits:
        """Return the cosines that decide for faces of a width."""
        ...
