"""A mark in the pixels that nobody sees, and that is found without the unmarked picture: "made by facestream".

What is marked are the coarse waves of the luma: those coefficients of the discrete cosine transform of the whole picture that
have 5 to 13 half waves across it. Each is moved most of the way to the nearest point of a lattice, whose offset a public key
gives (distortion-compensated quantisation index modulation: Chen and Wornell, "Quantization index modulation", IEEE
Transactions on Information Theory, 2001); in small pictures as far as costs the face least (``least_change``). Such waves are
what JPEG and scaling leave alone, and they are counted per picture and not per pixel, so that nobody needs to know by how much
it was scaled.

Without the mark each coefficient lies anywhere between two points of its lattice. As the offsets are drawn evenly and
independently, the sum of the cosines of the places is beyond t of its standard deviations for at most exp(-t² / 2) of the keys,
whatever the picture (Chernoff's bound, with I0(x) <= exp(x² / 4)): ``THRESHOLD`` and the number of ways in which it is looked
for make that less than one in two million.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.marking.least_change import approach, pulls

SMALLEST_PX = 32
"""Pictures with a shorter side are not marked: they have no such waves beside what they show."""
THRESHOLD = 7.0
_KEY = b"facestream mark 1"
_LOWEST, _HIGHEST = 5, 13
"""Half waves across the picture. Coarser ones change with the contrast by more than a step, finer ones are lost to JPEG and
cost more likeness."""
_PART = 0.7
"""Of the way to the lattice. The rest is noise to the detector, and allows a wider lattice for the same change."""
_WIDE, _NARROW = 0.41, 0.26
"""Steps of the lattice, in levels of amplitude: on a small picture JPEG leaves more noise."""
_TINY_PX, _SMALL_PX, _CAREFUL_PX = 80, 144, 160
"""A picture with a shorter side than the second has the wide one. Between the first and the last, as crops of faces of 12 to
22 px are, it is changed least where the face is; of smaller ones JPEG leaves too little for that, larger ones need it not."""
_ENOUGH = 10.5
"""Score with which such a picture is marked: what JPEG and scaling took was at most about a quarter of it."""
_CONTRASTS = tuple(1.02**power for power in range(-12, 13))
"""Contrast may have changed, and scaling damps fine waves."""
_FRAMES = (
    *((0.0, eighths / 8) for eighths in range(-4, 5)),
    *((float(before), float(before + behind)) for before in range(3) for behind in range(3) if before + behind),
)
"""How many pixels of a side were cut off in front, and how many there are not in all. Some programs round the side of what they
scale, and not the scale: half a pixel; or a row and a column were lost."""
_FITTED = 60
"""Waves that are fitted where a side is not whole: also finer ones, which would be taken for the coarse."""
_MOST_SOUGHT_PX = 1024
"""A side that is longer is reduced before the mark is looked for; its waves are long."""
_STRIP_PX = 1 << 14
"""So few that OpenBLAS takes one thread: several, in each of several workers, wait for each other for 60 ms instead of 0.5."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What was found of the mark."""

    score: float
    """The best of all ways to look; around 4 where there is no mark, around 13 where nothing was done to it."""

    @property
    def is_found(self) -> bool:
        return self.score >= THRESHOLD


def put_mark(picture_bgr: Uint8, *, in_place: bool = False) -> Uint8:
    """Return a marked copy; one that is too small as it is.

    Args:
        picture_bgr: (height, width, 3) uint8 BGR.
        in_place: mark the picture itself, and return that.
    """
    height, width = picture_bgr.shape[:2]
    if min(height, width) < SMALLEST_PX:
        return picture_bgr
    side = min(height, width)
    step = _WIDE if side < _SMALL_PX else _NARROW
    places = _places(picture_bgr, step)
    distances = np.rint(places) - places
    if not _TINY_PX <= side < _CAREFUL_PX:
        return _changed(picture_bgr, distances * (_PART * step), picture_bgr if in_place else np.empty_like(picture_bgr))
    marked, moves = np.empty_like(picture_bgr), np.zeros_like(distances)
    for pull in _pulls():
        moves = approach(distances, moves, pull)
        if _score(distances - moves) < _ENOUGH:
            continue
        if _score(_places(_changed(picture_bgr, moves * step, marked), step)) >= _ENOUGH:
            break
    else:
        _changed(picture_bgr, moves * step, marked)
    if in_place:
        np.copyto(picture_bgr, marked)
        return picture_bgr
    return marked


def find_mark(picture_bgr: Uint8) -> Sought:
    """Look for the mark, in a picture of any size.

    Args:
        picture_bgr: (height, width, 3) uint8 BGR.
    """
    height, width = (min(side, _MOST_SOUGHT_PX) for side in picture_bgr.shape[:2])
    if min(height, width) < _HIGHEST:
        return Sought(0.0)
    if picture_bgr.shape[:2] != (height, width):
        picture_bgr = np.asarray(cv2.resize(picture_bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    luma = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    down, across = (np.concatenate([_basis(side, *frame) for frame in _FRAMES]) for side in (height, width))
    every = (down @ luma @ across.T / np.float32(math.sqrt(height * width))).reshape(len(_FRAMES), _HIGHEST, -1, _HIGHEST)
    rows, columns, offsets = _lattice()
    waves = np.ascontiguousarray(every[:, rows, :, columns].reshape(len(rows), -1))
    turns = offsets[:, None].astype(np.float32)
    best = max(
        float(np.cos(np.float32(2 * math.pi) * (waves * np.float32(contrast / step) - turns)).sum(axis=0).max())
        for step in (_WIDE, _NARROW)
        for contrast in _CONTRASTS
    )
    return Sought(best * math.sqrt(2 / len(rows)))


def _places(picture_bgr: Uint8, step: float) -> Float32:
    """Return where each coefficient lies in its lattice, in steps: (N,), whole where it is at a point."""
    rows, columns, offsets = _lattice()
    return np.asarray(_waves(picture_bgr)[rows, columns] / step - offsets, np.float32)


def _score(places: Float32) -> float:
    """Return the score of what lies at these places, see ``Sought``."""
    return float(np.cos(2 * math.pi * places).sum()) * math.sqrt(2 / len(places))


def _changed(picture_bgr: Uint8, amplitudes: Float32, marked: Uint8) -> Uint8:
    """Write into ``marked``, which may be the picture itself, the picture with these waves added, and return it."""
    height, width = picture_bgr.shape[:2]
    rows, columns, _ = _lattice()
    change = np.zeros((_HIGHEST, _HIGHEST), np.float32)
    change[rows, columns] = amplitudes
    across = change @ _basis(width) * np.float32(math.sqrt(height * width))
    for strip in _strips(height, width):
        luma = np.rint(_basis(height)[:, strip].T @ across).astype(np.int16)
        cv2.add(picture_bgr[strip], cv2.merge((luma, luma, luma)), dst=marked[strip], dtype=cv2.CV_8U)
    return marked


def _waves(picture_bgr: Uint8) -> Float32:
    """Return the coarse coefficients of the luma, (_HIGHEST, _HIGHEST), in levels of amplitude at any size of the picture."""
    height, width = picture_bgr.shape[:2]
    found = np.zeros((_HIGHEST, _HIGHEST), np.float32)
    for strip in _strips(height, width):
        luma = cv2.cvtColor(picture_bgr[strip], cv2.COLOR_BGR2GRAY).astype(np.float32)
        found += _basis(height)[:, strip] @ (luma @ _basis(width).T)
    return found / np.float32(math.sqrt(height * width))


def _strips(height: int, width: int) -> Iterator[slice]:
    """Yield rows that are worked on together: memory is bounded, too, also of a picture of hundreds of megapixels."""
    tall = max(1, _STRIP_PX // width)
    for top in range(0, height, tall):
        yield slice(top, min(top + tall, height))


@lru_cache(maxsize=1024)
def _basis(size: int, before: float = 0.0, missing: float = 0.0) -> Float32:
    """Return what gives the amplitudes of the first waves of the orthonormal cosine transform, (_HIGHEST, size).

    Args:
        size: pixels in a row.
        before: how many more there were in front of it.
        missing: how many more there were in all. The waves are not orthogonal then, and their amplitudes are those of the fit
            by least squares: the picture's mean, far above all waves, stays out of them.
    """
    whole = size + missing
    fitted = min(_FITTED, max(size // 2, _HIGHEST)) if missing else _HIGHEST
    waves = np.cos(np.pi / whole * np.arange(fitted)[:, None] * (np.arange(size) + before + 0.5)) * math.sqrt(2 / whole)
    waves[0] /= math.sqrt(2)
    return np.asarray(np.linalg.solve(waves @ waves.T, waves)[:_HIGHEST] if missing else waves, np.float32)


@lru_cache(maxsize=1)
def _pulls() -> tuple[Float32, ...]:
    return pulls(*_lattice()[:2])


@lru_cache(maxsize=1)
def _lattice() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows and columns of the coefficients, and what the key adds to each, as a share of the step."""
    down, across = np.mgrid[:_HIGHEST, :_HIGHEST]
    rows, columns = np.nonzero((np.hypot(down, across) >= _LOWEST) & (np.hypot(down, across) < _HIGHEST))
    drawn = np.frombuffer(hashlib.shake_256(_KEY).digest(2 * len(rows)), "<u2")
    return rows, columns, drawn / 65536.0
