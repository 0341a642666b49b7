"""ByteTrack (Zhang et al. 2022) on confident detections: one association, best overlap first.

The second association, of low-score detections, is left out: everything the detector reports is above its own threshold. The
noise model, and how it grows over a gap, are those of the library ``trackers``, with which the tests compare every track.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.contracts.intervals import ROUNDED_SECONDS
from engine.track.assignment import best_pairs

Floats = NDArray[np.float64]

_SEEN_NOISE, _WALK_NOISE = 0.1, 0.01
"""Variances in px²: of a measured edge, and of the random change of its position and speed from one frame to the next."""
_NOMINAL_SECONDS = 0.004
"""A step this close to one frame counts as one frame; any other is a gap, over which speeds may have changed."""
_LEAST_OVERLAP = 0.1


class ByteTrack:
    """Follows boxes: a Kalman filter of constant speed predicts each edge, and detections are matched to the predictions.

    The four edges of a box are filtered alike, so a box has one covariance of position and speed.
    """

    def __init__(self, frame_rate: float, lost_seconds: float, start_score: float, near: float) -> None:
        """Start without boxes.

        Args:
            frame_rate: nominal, in frames per second: speeds are kept in pixels per frame.
            lost_seconds: a box that is not seen for longer is forgotten.
            start_score: a detection below it can continue a box, but starts none.
            near: boxes are enlarged on each side by this share of their width and height before their overlap is computed.
        """
        self._frame_rate = frame_rate
        self._lost_seconds = lost_seconds
        self._start_score = start_score
        self._near = near
        self._numbers = itertools.count()
        self.reset()

    def reset(self) -> None:
        """Forget all boxes; ids are not reused."""
        self._ids: list[int] = []
        self._place: Floats = np.empty((0, 4))
        self._speed: Floats = np.empty((0, 4))
        self._spread: Floats = np.empty((0, 3))
        """Variance of the position, covariance, and variance of the speed of each box."""
        self._unseen: Floats = np.empty(0)
        self._seconds: float | None = None

    @property
    def ids(self) -> list[int]:
        """Ids of the boxes that are followed, whether or not they were seen just now."""
        return self._ids

    def update(self, corners: Float32, scores: Float32, seconds: float) -> list[tuple[int, int]]:
        """Take the next detections; return (index, id) of each that continues or starts a box.

        Args:
            corners: (faces, 4) as left, top, right, bottom in pixels.
            scores: (faces,).
            seconds: time of the frame, later than at the last call.
        """
        elapsed = 1 / self._frame_rate if self._seconds is None else seconds - self._seconds
        self._seconds = seconds
        self._predict(elapsed)
        seen = corners.astype(np.float64)
        gain = _overlaps(_larger(self._place, self._near), _larger(seen, self._near))
        pairs = [(row, index) for row, index in best_pairs(gain) if gain[row, index] >= np.float32(_LEAST_OVERLAP)]
        self._correct(pairs, seen)
        taken = {index for _, index in pairs}
        begun = [index for index in range(len(seen)) if index not in taken and scores[index] >= self._start_score]
        followed = [(index, self._ids[row]) for row, index in pairs]
        return followed + list(zip(begun, self._begin(seen[begun]), strict=True))

    def _predict(self, elapsed: float) -> None:
        """Predict the boxes ``elapsed`` seconds ahead, and forget those not seen for too long."""
        step = elapsed * self._frame_rate
        place, both, speed = self._spread.T
        if abs(step - 1) <= _NOMINAL_SECONDS * self._frame_rate:
            noise = (_WALK_NOISE, 0.0, _WALK_NOISE)
        else:
            noise = (_WALK_NOISE * step**4 / 4, _WALK_NOISE * step**3 / 2, _WALK_NOISE * step**2)
        grown = (place + step * (2 * both + step * speed), both + step * speed, speed)
        self._place = self._place + step * self._speed
        self._spread = np.stack(grown, axis=1) + noise
        self._unseen = self._unseen + elapsed
        if (gone := self._unseen > self._lost_seconds + ROUNDED_SECONDS).any():
            self._ids = [number for number, lost in zip(self._ids, gone, strict=True) if not lost]
            self._place, self._speed = self._place[~gone], self._speed[~gone]
            self._spread, self._unseen = self._spread[~gone], self._unseen[~gone]

    def _correct(self, pairs: list[tuple[int, int]], seen: Floats) -> None:
        """Update the boxes with their detections."""
        if not pairs:
            return
        rows, indices = (list(side) for side in zip(*pairs, strict=True))
        place, both, speed = self._spread[rows].T
        trust, pull = place / (place + _SEEN_NOISE), both / (place + _SEEN_NOISE)
        off = seen[indices] - self._place[rows]
        self._place[rows] += trust[:, None] * off
        self._speed[rows] += pull[:, None] * off
        self._spread[rows] = np.stack([(1 - trust) * place, (1 - trust) * both, speed - pull * both], axis=1)
        self._unseen[rows] = 0

    def _begin(self, seen: Floats) -> list[int]:
        count = len(seen)
        numbers = list(itertools.islice(self._numbers, count))
        self._ids = self._ids + numbers
        self._place = np.concatenate([self._place, seen])
        self._speed = np.concatenate([self._speed, np.zeros((count, 4))])
        self._spread = np.concatenate([self._spread, np.tile([1.0, 0.0, 1.0], (count, 1))])
        self._unseen = np.concatenate([self._unseen, np.zeros(count)])
        return numbers


def _larger(corners: Floats, share: float) -> Floats:
    """Return boxes enlarged on each side by a share of their width and height."""
    sides = share * (corners[:, 2:] - corners[:, :2])
    return np.concatenate([corners[:, :2] - sides, corners[:, 2:] + sides], axis=1)


def _overlaps(first: Floats, second: Floats) -> Floats:
    """Return the intersection over union of all pairs, (first, second); in float32, in which it is compared."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    either = areas[0][:, None] + areas[1][None, :] - common
    share = np.divide(common, either, out=np.zeros_like(common), where=either > 0)
    return np.asarray(share.astype(np.float32), np.float64)
