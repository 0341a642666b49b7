"""How far the picture of several frames may leave the one frame in whose place it stands.

Of a face that keeps still the frames are many looks at one thing. Of a face that turns or speaks they are looks at different
things, and what is made of them all is none of them. What is sure of a moment is its own frame:

- shrunk, the picture is its crop, but for what encoder and camera may have changed in it; finer detail is of all frames;
- where it differs by more than those and registration explain, from the crop and from the frame enlarged alone, the face moved,
  and that frame takes over.

The limits were fitted on simulated tracks of 20 people and clips of three signers, all of the training split; what they bring
to others is in docs/results/tracks.md.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32
from engine.super_resolve.seen_shots import SeenShots

_OF_STEP = 0.25
"""Deviation that an encoder leaves in a crop, as a share of its quantiser's step; a frame's own step says less than the mean
of all, as errors are carried on from frame to frame."""
_QUIET, _TO_NOISE, _STILL_DETAIL = 0.1, 3.0, 1.5
"""In a tenth of the face, where least differs, nothing moves: what differs there, less what fusing always changes in fine
detail (grey levels squared), times three, is noise."""
_OFF_PX = 0.07
"""Median error of registration, in pixels of the crops."""
_ALWAYS = 2.0
"""That a picture differs from its crop by, whatever happens, in grey levels squared."""
_MOST = 0.9
"""A movement shows in a part of the face: what nine tenths of it stay below is taken for all."""
_MOVED, _TURNED = 1.0, 6.0
"""Times what can be explained: from the first on the frame alone counts, from the second on nothing else."""
_RIM = 8
"""So small a share of the crop's sides is its rim, where there is no face."""


def faithful(picture: Float32, shots: SeenShots) -> tuple[Float32, float]:
    """Return a picture that its reference bears out, and the share of the reference alone in it, 0 to 1.

    Args:
        picture: of several shots, (scale h, scale w) in grey levels.
        shots: that it was made of.
    """
    low, alone = shots.shots[0].luma.astype(np.float32), shots.seen[0]
    height, width = low.shape
    face = (slice(height // _RIM, height - height // _RIM), slice(width // _RIM, width - width // _RIM))
    shrunk = _shrunk(picture, low.shape)
    missing = low - shrunk
    differs = _mean_square(missing)
    noise = max(_coding_noise(shots), _TO_NOISE * max(0.0, float(np.quantile(differs[face], _QUIET)) - _STILL_DETAIL))
    trusted = np.clip(1 - noise / np.maximum(differs, 1e-6), 0, 1)
    kept = picture + cv2.resize(trusted * missing, picture.shape[::-1], interpolation=cv2.INTER_CUBIC)
    from_alone = _mean_square(_shrunk(alone, low.shape) - shrunk)
    moved = float(np.quantile(np.minimum(differs, from_alone)[face], _MOST))
    explained = noise + _ALWAYS + _OFF_PX**2 * float(_steepness(low)[face].mean())
    share = float(np.clip((moved / explained - _MOVED) / (_TURNED - _MOVED), 0, 1))
    return np.asarray(kept + share * (alone - kept), np.float32), share


def _shrunk(picture: Float32, shape: tuple[int, ...]) -> Float32:
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _mean_square(values: Float32) -> Float32:
    """Return it around each place."""
    return np.asarray(cv2.GaussianBlur(values**2, (0, 0), 1.0), np.float32)


def _coding_noise(shots: SeenShots) -> float:
    """Return the mean square that an encoder is told to have changed, in grey levels squared; 0 where nothing is told."""
    told = [shot.qp for shot in shots.shots if shot.qp is not None]
    return (_OF_STEP * 2 ** ((float(np.mean(told)) - 4) / 6)) ** 2 if told else 0.0


def _steepness(low: Float32) -> Float32:
    """Return the mean square of the gradient around each place, in grey levels a pixel."""
    down, across = np.gradient(cv2.GaussianBlur(low, (0, 0), 0.6))
    return _mean_square(down) + _mean_square(across)
