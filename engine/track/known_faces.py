"""What is kept of a person's face to know it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.contracts.frames import Float32, Planes
from engine.contracts.intervals import reaches
from engine.track.judge import Judge

_MOST = 3
_SECONDS = 0.4
"""Between two faces that are kept of a person; of those between, the surest stands for them."""


@dataclass(slots=True, eq=False)
class _Face:
    look: Any
    score: float
    seconds: float
    vector: Float32 | None = None
    """Computed when it is first asked for."""


class KnownFaces:
    """The last good faces of one person.

    Args:
        judge: makes and compares what is kept of a face.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._faces: list[_Face] = []

    def add(self, planes: Planes, box: Float32, landmarks: Float32 | None, score: float, seconds: float) -> None:
        """Keep a face if it is due, or surer than the one that it would follow too soon.

        Args:
            planes: the frame.
            box: (4,) x, y, width, height in pixels.
            landmarks: (5, 2) in pixels, None where the detector gave none.
            score: of the detection, 0 to 1.
            seconds: of the frame.
        """
        last = self._faces[-1] if self._faces else None
        is_due = last is None or reaches(seconds - last.seconds, _SECONDS)
        if last is not None and not is_due and score <= last.score:
            return
        look = self._judge.look(planes, box, landmarks)
        if look is None:
            return
        if last is not None and not is_due:
            seconds = last.seconds
            self._faces.pop()
        self._faces.append(_Face(look, score, seconds))
        del self._faces[:-_MOST]

    def cosine(self, probe: Float32) -> float | None:
        """Return how alike a face is to those that are kept, -1 to 1; None where none can be compared.

        Args:
            probe: a vector of length 1.
        """
        for face in self._faces:
            if face.vector is None:
                face.vector = self._judge.vector(face.look)
        vectors = [face.vector for face in self._faces if face.vector is not None]
        return float(probe @ mean_vector(vectors)) if vectors else None


def mean_vector(vectors: Sequence[Float32]) -> Float32:
    """Return the direction of the mean of one or more vectors, as a vector of length 1."""
    total = np.sum(vectors, axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)
