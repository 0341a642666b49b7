"""A first guess at how a frame's face lies on the reference: from five landmarks, some of which may be wrong, or from the
pictures.
"""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.super_resolve.warps import Warp

Points = NDArray[np.floating]
_SCALES, _TURN = (0.6, 1.7), 0.7
"""Limits on how much two frames of one track differ; rotations in radians."""
_NEAR = 0.12
"""Share of the landmarks' spread: landmarks that fit a guess worse than this are outliers."""
_LEAST_SUPPORT = 3
"""Least number of landmarks that must fit; two points fit any guess."""


def by_landmarks(reference: Points, frame: Points) -> Warp | None:
    """Return the similarity transform that most landmarks agree on, fitted to those by least squares; None if no three agree.

    Args:
        reference: (5, 2) x and y, not finite where missing.
        frame: the same for the other frame.
    """
    there = np.isfinite(reference).all(axis=1) & np.isfinite(frame).all(axis=1)
    if there.sum() < _LEAST_SUPPORT:
        return None
    # a similarity of the plane is z -> turn * z + shift in complex numbers
    source, target = (points[there].astype(np.float64) @ np.array([1, 1j]) for points in (reference, frame))
    spread = float(np.abs(source - source.mean()).max())
    if spread == 0:
        return None
    best = np.zeros(len(source), bool)
    least = np.inf
    for one, other in combinations(range(len(source)), 2):
        between = source[other] - source[one]
        if abs(between) < 0.2 * spread:
            continue
        turn = (target[other] - target[one]) / between
        error = np.abs(turn * (source - source[one]) + target[one] - target)
        fits = error <= _NEAR * spread * abs(turn)
        cost = float(np.minimum(error, _NEAR * spread * abs(turn)).sum())
        if _possible(turn) and fits.sum() >= _LEAST_SUPPORT and cost < least:
            best, least = fits, cost
    if not best.any():
        return None
    middle, aim = source[best].mean(), target[best].mean()
    centred = source[best] - middle
    turn = (np.conj(centred) @ (target[best] - aim)) / (np.conj(centred) @ centred).real
    shift = aim - turn * middle
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]) if _possible(turn) else None


def by_shift(reference: Float32, frame: Float32) -> Warp:
    """Return the shift found by phase correlation; the pictures may differ in size."""
    height, width = np.maximum(reference.shape, frame.shape)
    window = cv2.createHanningWindow((int(width), int(height)), cv2.CV_32F)
    first, second = (_grown(picture, int(height), int(width)) for picture in (reference, frame))
    shift, _ = cv2.phaseCorrelate(first, second, window)
    return np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])


def by_middle(reference: Float32, frame: Float32) -> Warp:
    """Return the shift that aligns the centres: a close guess if the detector's boxes are right."""
    shift = (np.array(frame.shape[::-1]) - reference.shape[::-1]) / 2
    return np.column_stack([np.eye(2), shift])


def _grown(picture: Float32, height: int, width: int) -> Float32:
    down, right = height - picture.shape[0], width - picture.shape[1]
    # always a copy: phaseCorrelate multiplies its arguments by the window
    return np.asarray(cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE), np.float32)


def _possible(turn: complex) -> bool:
    return bool(_SCALES[0] <= abs(turn) <= _SCALES[1] and abs(np.angle(turn)) <= _TURN)
