"""Fusing the frames of a track by the mean of what each of them gives alone: needs no network but the generator."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.contracts.frames import Float32
from engine.super_resolve.interpolation import enlarge
from engine.super_resolve.track_picture import TrackShot
from engine.super_resolve.warps import look_through

_GAINS = (0.7, 1.4)
"""That an exposure can differ by."""
_UNSEEN = 1e-6
"""Weight of what lies beyond a frame's border: there the reference decides."""


class Average:
    """The mean of registered enhanced frames; see ``engine.super_resolve.track_picture.Fusion``."""

    name = "average"

    def __init__(self, scale: int = 4) -> None:
        """``scale``: of the shots' enlarged pictures over their crops."""
        self.scale = scale

    def fuse(
        self, shots: Sequence[TrackShot], warps: Float32, weights: Float32, full_range: bool = False
    ) -> tuple[Float32, Float32]:
        seen, shares = registered(shots, warps, weights, self.scale)
        picture = (shares * seen).sum(axis=0)
        return picture, np.sqrt((shares * (seen - picture) ** 2).sum(axis=0))


def registered(shots: Sequence[TrackShot], warps: Float32, weights: Float32, scale: int) -> tuple[Float32, Float32]:
    """Return the enlarged frames as the reference sees them, at its exposure, and their shares: (N, scale h, scale w) each."""
    pictures = [shot.luma if shot.enlarged is None else shot.enlarged for shot in shots]
    pictures = [enlarge(one, scale) if shot.enlarged is None else one for one, shot in zip(pictures, shots, strict=True)]
    height, width = pictures[0].shape
    seen: list[Float32] = []
    shares = []
    for picture, warp, weight in zip(pictures, warps, weights, strict=True):
        shown = cv2.warpAffine(
            np.ones(picture.shape, np.float32), warp, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        )
        here = look_through(picture.astype(np.float32), warp.astype(np.float64), (height, width))
        seen.append(_exposed_as(here, seen[0], shown > 0) if seen else here)
        shares.append(np.maximum(shown * weight, _UNSEEN))
    return np.stack(seen), np.asarray(np.stack(shares) / np.sum(shares, axis=0), np.float32)


def _exposed_as(picture: Float32, reference: Float32, shown: np.ndarray) -> Float32:
    """Return a picture with the mean and contrast that the reference has where both are seen."""
    if not shown.any():
        return picture
    mine, its = picture[shown], reference[shown]
    gain = float(np.clip(its.std() / max(float(mine.std()), 1e-3), *_GAINS))
    return np.asarray((picture - mine.mean()) * gain + its.mean(), np.float32)
