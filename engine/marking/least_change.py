"""How far the waves of a small picture are moved for the mark: as little as possible where the face is.

In a small picture the mark is wide, and an embedder would see it. The detector only asks how near all waves together are to the
points of their lattices, so there is a choice: which waves go how far, and thus where in the picture the change adds up. A
change costs what it is in the middle of the picture, where crops have the face, fine waves more than coarse ones; elsewhere it
costs a tenth. ``approach`` makes this cost, less the sum of the cosines of the places, smaller step by step: the sum is
replaced by a parabola below it that touches it, whose best point is a product with a matrix (Hunter and Lange, "A tutorial on
MM algorithms", The American Statistician, 2004).
"""

from __future__ import annotations

import math

import numpy as np

from engine.contracts.frames import Float32

_MIDDLE = 0.6
"""Of height and width: the face, in a crop with the default margin."""
_ELSEWHERE = 0.1
_FINEST = 2.0
"""What the finest wave costs, where the coarsest costs 1."""
_WEAKEST, _STRONGER, _STRENGTHS = 0.018, 1.2, 14
"""What the sum of the cosines counts for. One of the first few is enough for most pictures; where much is black or white
already, part of the change is lost."""
_STEPS = 8
"""With each strength, from where the one before came to."""
_STEEPEST = 4 * math.pi**2
"""Curvature of the cosine of a place, counted in steps of the lattice."""
_GRID = 256


def pulls(rows: np.ndarray, columns: np.ndarray) -> tuple[Float32, ...]:
    """Return a matrix for each strength, the weakest first, (N, N) for ``approach``.

    Args:
        rows: (N,) half waves down the picture, of each wave.
        columns: (N,) half waves across it.
    """
    middle = abs(np.arange(_GRID) + 0.5 - _GRID / 2) <= _MIDDLE * _GRID / 2
    waves = np.cos(np.pi / _GRID * np.arange(max(rows.max(), columns.max()) + 1)[:, None] * (np.arange(_GRID) + 0.5))
    waves *= np.sqrt(np.where(np.arange(len(waves)) > 0, 2, 1) / _GRID)[:, None]
    shared = (waves * middle) @ waves.T
    fineness = np.hypot(rows, columns)
    dearness = 1 + (_FINEST - 1) * (fineness - fineness.min()) / np.ptp(fineness)
    cost = shared[np.ix_(rows, rows)] * shared[np.ix_(columns, columns)] * np.sqrt(np.outer(dearness, dearness))
    cost = (1 - _ELSEWHERE) * cost + _ELSEWHERE * np.eye(len(rows))
    strengths = [_WEAKEST * _STRONGER**power for power in range(_STRENGTHS)]
    return tuple(
        np.asarray(np.linalg.inv(2 / strength * cost + _STEEPEST * np.eye(len(rows))), np.float32) for strength in strengths
    )


def approach(distances: Float32, moves: Float32, pull: Float32) -> Float32:
    """Return better moves than those given, in steps of the lattice: (N,).

    Args:
        distances: (N,) from each place to the nearest point of its lattice.
        moves: (N,) to begin with.
        pull: one of ``pulls``.
    """
    turn = np.float32(2 * math.pi)
    for _ in range(_STEPS):
        slopes = np.float32(_STEEPEST) * moves + turn * np.sin(turn * (distances - moves))
        moves = np.einsum("ij,j->i", pull, slopes)  # OpenBLAS would take several threads, which wait for each other
    return moves
