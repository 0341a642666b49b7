"""Training batches of DegNet and SynNet: two faces through one simulated camera, and real faces with restored versions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trt_build.data import degradation
from trt_build.data.batches import ENDLESS, mirrored, unit
from trt_build.data.degradation import Luma8

Levels = NDArray[np.float32]
"""Luma in [0, 1]."""


class SameCamera(np.random.Generator):
    """Draws the same camera settings for every picture, but different noise.

    Noise has a separate generator, because the number of values it draws depends on the picture.
    """

    def __init__(self, camera: int, picture: int) -> None:
        super().__init__(np.random.PCG64([camera]))
        self._grain = np.random.default_rng((camera, picture))

    def poisson(self, *args: Any, **kwargs: Any) -> Any:
        return self._grain.poisson(*args, **kwargs)

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._grain.standard_normal(*args, **kwargs)


def through_camera(face: Luma8, low_px: int, camera: int, picture: int, second_order: float) -> Luma8:
    """Return ``face`` (S, S) as the camera of that number shows it, (low_px, low_px).

    Args:
        face: sharp.
        low_px: side of the result.
        camera: seed of the settings.
        picture: seed of the noise.
        second_order: share of cameras whose pictures are stored and captured again.
    """
    rng = SameCamera(camera, picture)
    if rng.random() < second_order:
        return degradation.second_order(face, low_px, rng)
    return degradation.first_order(face, low_px, rng)


class CameraBatches:
    """Step -> sharp and small of the first faces, of the second faces (through the same cameras), of real faces.

    float32 (B, 1, S, S) and (B, 1, s, s) in turn, six in all. A real face's sharp version is a restored one.
    """

    def __init__(self, faces: Luma8, real: tuple[Luma8, Luma8], batch: int, second_order: float, seed: int) -> None:
        """``faces`` uint8 (N, S, S); ``real``: restored (M, S, S) and small (M, s, s)."""
        self._faces, (self._restored, self._real) = faces, real
        self._batch, self._second_order, self._seed = batch, second_order, seed

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> tuple[Levels, ...]:
        rng = np.random.default_rng((self._seed, step))
        one, other = rng.choice(len(self._faces), (2, self._batch), replace=False)
        cameras = rng.integers(2**62, size=self._batch)
        chosen = rng.integers(len(self._real), size=self._batch)
        small = [self._small(indices, cameras.tolist()) for indices in (one, other)]
        sides = (self._faces[one], small[0], self._faces[other], small[1], self._restored[chosen], self._real[chosen])
        turned = np.repeat(rng.random((3, self._batch)) < 0.5, 2, axis=0)
        return tuple(unit(mirrored(side, which))[:, None] for side, which in zip(sides, turned, strict=True))

    def _small(self, indices: NDArray[np.int64], cameras: list[int]) -> Luma8:
        side = self._real.shape[1]
        faces = zip(indices.tolist(), cameras, strict=True)
        return np.stack([through_camera(self._faces[i], side, camera, i, self._second_order) for i, camera in faces])
