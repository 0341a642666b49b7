"""An embedder of two networks: one trained for small faces embeds those, in the same vector space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.errors import ModelError
from engine.verify.align import eyes_px
from engine.verify.onnx_embedder import OnnxEmbedder


class MixedEmbedder:
    """Uses ``base`` for large faces, ``small`` for the smallest, and a mixture in between.

    Both networks give nearly the same vector for the same sharp face, so vectors are compared as if all were of ``base``, whose
    name, SHA-256 and thresholds this embedder has.

    Args:
        base: the network whose vectors galleries hold.
        small: trained to give ``base``'s vector of the sharp face for a small one.
        weights: (distance of the eyes in pixels, weight of ``small`` from 0 to 1), ascending; linear in between, constant
            beyond.

    Raises:
        ModelError: the networks' vectors have different lengths.
    """

    def __init__(self, base: OnnxEmbedder, small: OnnxEmbedder, weights: Sequence[tuple[float, float]]) -> None:
        if base.length != small.length:
            raise ModelError(
                f"{small.name} cannot embed small faces for {base.name}: its vectors have {small.length} values, not "
                f"{base.length}"
            )
        self.name, self.sha256, self.licence = base.name, base.sha256, base.licence
        self.runtime, self.length = base.runtime, base.length
        self.known_cosine, self.unknown_cosine = base.known_cosine, base.unknown_cosine
        self.margin_cosine, self.min_size_px = base.margin_cosine, base.min_size_px
        self._base, self._small = base, small
        self._eyes, self._weights = np.array(weights, np.float64).T

    def embed(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        """See ``Embedder.embed``."""
        weights = self._weights_of(pictures, landmarks)
        vectors = np.zeros((len(pictures), self.length), np.float64)
        for network, shares in ((self._base, 1 - weights), (self._small, weights)):
            if chosen := np.flatnonzero(shares).tolist():
                found = network.embed([pictures[index] for index in chosen], [landmarks[index] for index in chosen])
                vectors[chosen] += shares[chosen, None] * found
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)

    def close(self) -> None:
        """Free both models."""
        self._base.close()
        self._small.close()

    def _weights_of(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> NDArray[np.float64]:
        eyes = [
            eyes_px(picture, points, self._base.size_px, self._base.places)
            for picture, points in zip(pictures, landmarks, strict=True)
        ]
        return np.asarray(np.interp(eyes, self._eyes, self._weights), np.float64)
