"""The faces kept of a person to recognise that person again."""

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
"""Least time between two kept faces of a person; of the faces in between, the one with the best score is kept."""


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
        """Keep a face if enough time has passed, or if it scores better than the last kept one.

        Args:
            planes: the frame.
            box: (4,) x, y, width, height in pixels.
            landmarks: (5, 2) in pixels, None where the detector gave none.
            score: of the detection, 0 to 1.
            seconds: time of the frame.
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
        """Return the cosine of a face with the kept ones, -1 to 1; None if none can be compared.

        Args:
            probe: a vector of length 1.
        """
        for face in self._faces:
            if face.vector is None:
                face.vector = self._judge.vector(face.look)
        vectors = [face.vector for face in self._faces if face.vector is not None]
        return float(probe @ mean_vector(vectors)) if vectors else None


def mean_vector(vectors: Sequence[Float32]) -> Float32:
    """Return the mean of one or more vectors, scaled to length 1."""
    total = np.sum(vectors, axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)
