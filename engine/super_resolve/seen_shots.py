"""The frames of one track warped to the best of them: the input of every fusion, and the basis for judging their agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32, Uint8
from engine.super_resolve.first_guess import Points
from engine.super_resolve.interpolation import enlarge
from engine.super_resolve.warps import look_through

_GAINS = (0.7, 1.4)
"""Range of contrast ratios between two exposures."""
_PICTURE_LESS = 9.0
"""A picture's QP promises more noise than its faces have, so that what moves would be taken for noise. Of 0, 3, 6, 9 and 12
this is the least that cost nothing on average, still or moving (x265, constant quality and bit rate). It was chosen on training
faces after 6 had cost 0.12 dB on held-out ones that move: docs/results/tracks.md."""
_UNSEEN = 1e-6
"""Weight of places beyond a frame's border, where the reference decides."""


def qp_there(quality: Quality) -> float | None:
    """Return the QP that a face was most likely compressed with, 0 to 51, or None if nothing is known."""
    if quality.qp is None or not quality.qp_of_picture:
        return quality.qp
    return max(0.0, quality.qp - _PICTURE_LESS)


@dataclass(frozen=True, slots=True, eq=False)
class TrackShot:
    """One frame of a face."""

    luma: Uint8
    """(h, w): the original crop; shots may differ in size."""
    landmarks: Points | None
    """(5, 2) x and y in pixels of the crop, not finite where one is missing."""
    weight: float
    """Its quality, above 0, as ``Quality.score``; only the ratio to the other shots' weights counts."""
    enlarged: Uint8 | None = None
    """(scale h, scale w): the crop enhanced alone, in the same range; None: it was not enhanced."""
    qp: float | None = None
    """How strongly it was compressed there, see ``qp_there``."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenShots:
    """N shots of one size, the reference first."""

    shots: Sequence[TrackShot]
    warps: Float32
    """(N, 2, 3), as ``Registration.warps``; the first is the identity."""
    weights: Float32
    """(N,) above 0, the largest is 1."""
    seen: Float32
    """(N, scale h, scale w): the enlarged frames warped to the reference, at its exposure, in grey levels."""
    shares: Float32
    """(N, scale h, scale w): share of each frame at each pixel, by its weight alone; they sum to 1."""

    def deviation(self) -> Float32:
        """Return the standard deviation of the frames at each pixel, (scale h, scale w) in grey levels.

        It uses their weights alone: a fusion discards what differs, and would mistake that for agreement.
        """
        mean = (self.shares * self.seen).sum(axis=0)
        return np.asarray(np.sqrt((self.shares * (self.seen - mean) ** 2).sum(axis=0)), np.float32)


def seen_by_first(shots: Sequence[TrackShot], warps: Float32, weights: Float32, scale: int) -> SeenShots:
    """Return shots of one size warped to the first of them; those that were not enhanced are interpolated.

    Args:
        shots: see ``SeenShots``.
        warps: see ``SeenShots``.
        weights: see ``SeenShots``.
        scale: size of the enlarged frames over that of the crops.
    """
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
    all_shares = np.asarray(np.stack(shares) / np.sum(shares, axis=0), np.float32)
    return SeenShots(shots, warps, weights, np.stack(seen), all_shares)


def _exposed_as(picture: Float32, reference: Float32, shown: np.ndarray) -> Float32:
    """Return a picture with the reference's mean and contrast, measured where both are visible."""
    if not shown.any():
        return picture
    mine, its = picture[shown], reference[shown]
    gain = float(np.clip(its.std() / max(float(mine.std()), 1e-3), *_GAINS))
    return np.asarray((picture - mine.mean()) * gain + its.mean(), np.float32)
