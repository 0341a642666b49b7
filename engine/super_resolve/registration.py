"""Sub-pixel registration of the frames of one track, and which of them show the same face.

Each frame is first registered to the reference, then all to their common median, which has less noise than any of them. A
frame that then looks less like the others than they do among each other is another person or a failed registration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.super_resolve.agreement import alike
from engine.super_resolve.first_guess import Points, by_landmarks, by_middle, by_shift
from engine.super_resolve.refinement import Template
from engine.super_resolve.warps import Warp, compose, enlarged, identity, inverse, look_through

_WORK = 2
"""Frames are registered at this multiple of their size."""
_COARSE, _FINE = 0.06, 0.2
"""Blur of the two passes: sigma as a share of the crop's side, then in pixels of the crop. The first copes with poor guesses,
the second is exact.
"""
_LEAST_COARSE, _JUDGED = 0.6, 0.6
"""Least blur of the first pass, and blur of the pictures by which agreement is judged: sigma in pixels of the crops."""
_REACH = 0.3
"""Sigma of the window, as a share of the crop's side."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How N frames are registered to their reference."""

    warps: Float32
    """(N, 2, 3): pixel centres (x, y) of the enlarged reference to those of the enlarged frame, for
    ``cv2.warpAffine(frame, warp, size, flags=... | cv2.WARP_INVERSE_MAP)``. The reference's own is the identity."""
    agrees: NDArray[np.bool_]
    """(N,) whether the frame shows what the others show; one that does not must not be fused. If the reference itself does not
    agree, choose another that does. If two frames differ, neither agrees; a single frame always does.
    """
    likeness: Float32
    """(N,) windowed correlation with the mean of the others that agree, -1 to 1; 1 if there is no other."""
    scale: int
    """Size of the enlarged pictures that ``warps`` relate, over that of the crops."""

    def at(self, scale: float) -> Float32:
        """Return the warps for pictures at another multiple of the crops' size, (N, 2, 3)."""
        return np.stack([enlarged(warp, scale / self.scale) for warp in self.warps.astype(np.float64)]).astype(np.float32)


def register(lows: Sequence[Uint8], landmarks: Sequence[Points | None] | None, reference: int, scale: int = 4) -> Registration:
    """Register the crops of one track to one of them.

    Args:
        lows: N luma crops (h, w), which may differ in size; an array (N, h, w) will do.
        landmarks: for each crop (5, 2) x and y in its pixels (centres are whole numbers), not finite where one is missing,
            or None; None where no crop has any.
        reference: index of the crop to which the others are registered.
        scale: of the enlarged pictures that the warps will be used on.

    Raises:
        ValueError: there is no crop, or the lists differ in length.
    """
    points = [None] * len(lows) if landmarks is None else list(landmarks)
    if not 0 <= reference < len(lows) == len(points):
        raise ValueError(f"{len(lows)} crops, {len(points)} landmarks and reference {reference} do not fit together")
    coarse, fine = ([_prepared(low, sigma) for low in lows] for sigma in (_coarse(lows[reference].shape), _FINE))
    window = _window(fine[reference].shape, points[reference])
    first = Template(coarse[reference], window)
    warps = [
        identity() if index == reference else _guess(first, coarse[reference], frame, points[reference], points[index])
        for index, frame in enumerate(coarse)
    ]
    warps = [first.refine(frame, warp) for frame, warp in zip(coarse, warps, strict=True)]
    warps = _onto_each_other(fine, warps, reference, window)
    agrees, likeness = alike(_correlations(fine, warps, window))
    warps = [enlarged(warp, scale / _WORK) for warp in warps]
    return Registration(np.stack(warps).astype(np.float32), agrees, likeness.astype(np.float32), scale)


def reference_of(lows: Sequence[Uint8], qualities: Sequence[float] | None = None) -> int:
    """Return the index of the best crop, to which the others should be registered.

    Args:
        lows: N luma crops (h, w), at least one.
        qualities: of each crop, not negative, as ``Quality.score``; None: crops are rated by size and sharpness.
    """
    return int(np.argmax([_rating(low) for low in lows] if qualities is None else qualities))


def _rating(low: Uint8) -> float:
    """Return the side of the crop times its mean gradient over its contrast."""
    luma = low.astype(np.float32)
    down, right = np.gradient(luma)
    return float(np.sqrt(luma.size) * np.hypot(down, right).mean() / (luma.std() + 1.0))


def _coarse(shape: tuple[int, ...]) -> float:
    return max(_LEAST_COARSE, _COARSE * min(shape))


def _prepared(low: Uint8, sigma: float) -> Float32:
    height, width = low.shape
    large = cv2.resize(low.astype(np.float32), (width * _WORK, height * _WORK), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), sigma * _WORK, borderType=cv2.BORDER_REPLICATE), np.float32)


def _window(shape: tuple[int, ...], points: Points | None) -> Float32:
    """Return weights that fall off from the centre of the landmarks, or of the crop, towards the borders."""
    height, width = shape
    middle = np.array([width - 1, height - 1]) / 2
    if points is not None and (there := np.isfinite(points).all(axis=1)).any():
        middle = (points[there].mean(axis=0) + 0.5) * _WORK - 0.5
    y, x = np.mgrid[:height, :width]
    far = ((x - middle[0]) / (_REACH * width)) ** 2 + ((y - middle[1]) / (_REACH * height)) ** 2
    return np.asarray(np.exp(-far / 2), np.float32)


def _guess(template: Template, reference: Float32, frame: Float32, mine: Points | None, its: Points | None) -> Warp:
    guesses = [by_middle(reference, frame), by_shift(reference, frame)]
    if mine is not None and its is not None and (found := by_landmarks(mine, its)) is not None:
        guesses.append(enlarged(found, _WORK))
    return max(guesses, key=lambda warp: template.likeness(look_through(frame, warp, template.shape)))


def _onto_each_other(frames: list[Float32], warps: list[Warp], reference: int, window: Float32) -> list[Warp]:
    first = Template(frames[reference], window)
    warps = [first.refine(frame, warp) for frame, warp in zip(frames, warps, strict=True)]
    if len(frames) > 2:
        common = np.median(_seen(frames, warps, window), axis=0)
        template = Template(np.asarray(common, np.float32), window)
        warps = [template.refine(frame, warp) for frame, warp in zip(frames, warps, strict=True)]
    back = inverse(warps[reference])
    return [identity() if index == reference else compose(warp, back) for index, warp in enumerate(warps)]


def _seen(frames: list[Float32], warps: list[Warp], window: Float32) -> Float32:
    """Return the frames warped to the reference, each with windowed mean 0 and variance 1: (N, h, w)."""
    shape = (window.shape[0], window.shape[1])
    seen = np.stack([look_through(frame, warp, shape) for frame, warp in zip(frames, warps, strict=True)])
    return _levelled(seen, window)


def _levelled(seen: Float32, window: Float32) -> Float32:
    share = window / window.sum()
    seen -= (seen * share).sum(axis=(1, 2), keepdims=True)
    seen /= np.sqrt((seen**2 * share).sum(axis=(1, 2), keepdims=True)) + 1e-6
    return np.asarray(seen, np.float32)


def _correlations(frames: list[Float32], warps: list[Warp], window: Float32) -> NDArray[np.float32]:
    """Return the correlations of the frames with each other, (N, N), without fine detail, which is mostly noise."""
    seen = np.stack([cv2.GaussianBlur(one, (0, 0), _JUDGED * _WORK) for one in _seen(frames, warps, window)])
    seen = _levelled(seen, window).reshape(len(frames), -1)
    return np.asarray((seen * (window.ravel() / window.sum())) @ seen.T, np.float32)
