"""Keeps a fused picture true to its reference, the frame that it replaces.

While a face keeps still, its frames are many samples of one thing. When it turns or speaks they show different things, and a
mixture shows none of them. So the fused picture is held to the reference in two ways:

- Back-projection (Irani and Peleg, 1991): scaled down, the picture equals the reference's crop, except for what noise and the
  encoder may have changed in the crop. Only detail finer than the crop's pixels comes from the other frames.
- Motion: if, in a part of the face, the picture differs from the crop, and from the reference enlarged alone, by more than
  noise and registration explain, the face moved there. Then the reference alone takes over.

The limits were fitted on simulated tracks of 20 people and clips of three signers, all of the training split; what they bring
to other people is in docs/results/tracks.md.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32
from engine.super_resolve.seen_shots import SeenShots

_CODING_ERROR = 0.25
"""RMS error that an encoder leaves in a crop, as a share of the quantiser step at the mean QP of all frames: errors carry over
from frame to frame.
"""
_QUIET, _FUSION_ENERGY, _NOISE_FACTOR = 0.1, 1.5, 3.0
"""Nothing moves in the tenth of the face that differs least. The energy there, less what any fusion changes in fine detail
(grey levels squared), times three, is taken as noise.
"""
_REGISTRATION_PX = 0.07
"""Median error of registration, in pixels of the crops."""
_LEAST_ENERGY = 2.0
"""Difference that any picture may have from its crop, in grey levels squared."""
_MOTION_QUANTILE = 0.9
"""A movement shows in part of the face, so the 90th percentile of the difference counts."""
_MOTION_BEGINS, _MOTION_IS_ALL = 1.0, 6.0
"""Multiples of the explained difference: from the first on the reference takes over in part, from the second on wholly."""
_RIM = 8
"""One part in this many of the crop, on each side, is rim and shows no face."""


def keep_to_reference(picture: Float32, shots: SeenShots) -> tuple[Float32, float]:
    """Return the picture, made consistent with its reference, and the share of the reference alone in it, 0 to 1.

    Args:
        picture: fused of several shots, (scale h, scale w) in grey levels.
        shots: those that it was fused of, the reference first.
    """
    low, alone = shots.shots[0].luma.astype(np.float32), shots.seen[0]
    height, width = low.shape
    face = (slice(height // _RIM, height - height // _RIM), slice(width // _RIM, width - width // _RIM))

    shrunk = _shrunk(picture, low.shape)
    residual = low - shrunk
    energy = _local_energy(residual)
    noise = max(_coding_noise(shots), _NOISE_FACTOR * max(0.0, float(np.quantile(energy[face], _QUIET)) - _FUSION_ENERGY))
    wiener = np.clip(1 - noise / np.maximum(energy, 1e-6), 0, 1)
    consistent = picture + cv2.resize(wiener * residual, picture.shape[::-1], interpolation=cv2.INTER_CUBIC)

    from_alone = _local_energy(_shrunk(alone, low.shape) - shrunk)
    motion = float(np.quantile(np.minimum(energy, from_alone)[face], _MOTION_QUANTILE))
    explained = noise + _LEAST_ENERGY + _REGISTRATION_PX**2 * float(_gradient_energy(low)[face].mean())
    share = float(np.clip((motion / explained - _MOTION_BEGINS) / (_MOTION_IS_ALL - _MOTION_BEGINS), 0, 1))
    return np.asarray(consistent + share * (alone - consistent), np.float32), share


def _shrunk(picture: Float32, shape: tuple[int, ...]) -> Float32:
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _local_energy(values: Float32) -> Float32:
    """Return the mean square around each pixel."""
    return np.asarray(cv2.GaussianBlur(values**2, (0, 0), 1.0), np.float32)


def _coding_noise(shots: SeenShots) -> float:
    """Return the energy of the encoder's error by the QP, in grey levels squared; 0 if no QP is known."""
    known = [shot.qp for shot in shots.shots if shot.qp is not None]
    return (_CODING_ERROR * 2 ** ((float(np.mean(known)) - 4) / 6)) ** 2 if known else 0.0


def _gradient_energy(low: Float32) -> Float32:
    """Return the mean square of the gradient around each pixel, in grey levels squared per pixel squared."""
    down, across = np.gradient(cv2.GaussianBlur(low, (0, 0), 0.6))
    return _local_energy(down) + _local_energy(across)
