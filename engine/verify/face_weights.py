"""The weight of a face among the other faces of its track, by parameters fitted to an embedder.

All faces that are too bad to be recognised get nearly the same vector, whoever they show; so do smears, noise and pictures
without a face. The cosine with this centre measures how little a face tells (Deng et al., "Harnessing Unrecognizable Faces for
Improving Face Recognition", 2023); size and sharpness do so only on average.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32
from engine.models.measured import measured_of, reading

_NUMBERS = ("size_power", "quality_power", "decay", "nobody_cosine", "apart_cosine")
USUAL_COSINE = 0.9
USUAL_PX = 24.0
"""The weight of a face of this size and cosine with the centre depends on its quality alone; the choice does not affect ratios
of weights.
"""

_SMALLEST_PX, _LARGEST_PX = 8.0, 50.0
"""Sizes are clipped to the range that was measured."""


@dataclass(frozen=True, eq=False)
class FaceWeights:
    """The parameters fitted to one embedder: ``weight = (size / 24 px)^a * quality^b * exp(-c * (cosine - 0.9))``, the cosine
    being that with the centre.
    """

    centre: Float32
    """(length,) of length 1: the vector of a face that nobody would recognise."""
    size_power: float
    quality_power: float
    decay: float
    nobody_cosine: float
    """Cosine with the centre from which on a face is too bad to be recognised."""
    apart_cosine: float
    """Cosine of the fused vectors of two groups of faces below which they are two people."""
    embedder_sha256: str
    provenance: str
    """How it was fitted, in one sentence."""

    def weight(self, quality: Quality, vector: Float32) -> float:
        """Return the weight of a face in the fusion, above 0.

        Args:
            quality: of the face.
            vector: (length,) of length 1.
        """
        excess = float(vector @ self.centre) - USUAL_COSINE
        size = min(max(quality.size_px, _SMALLEST_PX), _LARGEST_PX) / USUAL_PX
        return float(size**self.size_power * max(quality.score, 1e-6) ** self.quality_power * np.exp(-self.decay * excess))

    def is_nobody(self, vector: Float32) -> bool:
        """Whether a face, (length,) of length 1, is too bad to be recognised."""
        return float(vector @ self.centre) >= self.nobody_cosine


@functools.cache
def face_weights_of(embedder_sha256: str) -> FaceWeights | None:
    """Return the weights fitted to an embedder; None if there are none.

    Raises:
        ModelError: a shipped file is damaged.
    """
    return measured_of(embedder_sha256, "face_weights", read_face_weights)


def read_face_weights(path: Path) -> FaceWeights:
    """Read what ``write_face_weights`` wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with reading(path, "the weights of faces"), path.open("rb") as file, np.load(file) as stored:
        size, quality, decay, nobody, apart = (float(value) for value in stored["numbers"])
        centre, sha256 = np.asarray(stored["centre"], np.float32), str(stored["embedder_sha256"])
        length = float(np.linalg.norm(centre))
        if centre.ndim != 1 or not length > 0 or not np.isfinite([size, quality, decay, nobody, apart, length]).all():
            raise ValueError("its numbers do not agree")
        return FaceWeights(centre / length, size, quality, decay, nobody, apart, sha256, str(stored["provenance"]))


def write_face_weights(one: FaceWeights, path: Path) -> None:
    """Write the weights; the centre in half precision."""
    np.savez_compressed(
        path,
        allow_pickle=False,
        centre=one.centre.astype(np.float16),
        numbers=np.array([getattr(one, name) for name in _NUMBERS]),
        embedder_sha256=np.array(one.embedder_sha256),
        provenance=np.array(one.provenance),
    )
