"""Super-resolution of a batch of faces, of which some may fail."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Uint8
from engine.errors import DeviceLostError
from engine.pictures.colour import bgr_from_planes
from engine.super_resolve.enhancer import EnhancedFace, Enhancer


@dataclass(frozen=True)
class Enlarged:
    """What super-resolution made of a batch."""

    originals: list[Uint8]
    """BGR."""
    faces: list[EnhancedFace | None]
    """None where it was not asked to run, the face is large enough, or it failed."""
    errors: dict[int, Exception]
    """By place in the batch."""
    seconds: float

    def each(self) -> list[Enlarged]:
        """Return what was made of each face, alone."""
        return [Enlarged([original], [face], {}, 0.0) for original, face in zip(self.originals, self.faces, strict=True)]


def enlarge(enhancer: Enhancer | None, crops: Sequence[FaceCrop]) -> Enlarged:
    """Enlarge faces; where the whole batch fails, each alone, so that one bad face costs no other.

    Args:
        enhancer: None: nothing is enlarged.
        crops: the originals.

    Raises:
        DeviceLostError: nothing can be computed any more.
    """
    start = time.perf_counter()
    originals = [bgr_from_planes(crop.planes) for crop in crops]
    faces, errors = _enhanced(enhancer, crops)
    return Enlarged(originals, faces, errors, time.perf_counter() - start)


def _enhanced(enhancer: Enhancer | None, crops: Sequence[FaceCrop]) -> tuple[list[EnhancedFace | None], dict[int, Exception]]:
    if enhancer is None:
        return [None] * len(crops), {}
    try:
        return list(enhancer.enhance(crops)), {}
    except DeviceLostError:
        raise
    except Exception as error:
        if len(crops) == 1:
            return [None], {0: error}
    alone = [_enhanced(enhancer, [crop]) for crop in crops]
    return [faces[0] for faces, _ in alone], {place: errors[0] for place, (_, errors) in enumerate(alone) if errors}
