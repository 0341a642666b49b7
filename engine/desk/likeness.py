"""How alike two faces are, and what that is worth as evidence where it was measured for their embedder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.verify.likelihood import Bucket, Calibration, calibration_of, told
from engine.verify.open_set import OpenSet, open_set_of

_SIZES_PX = (24.0, 32.0, 48.0, 140.0)
_HAZE = (0.152, 0.134, 0.105, 0.0)
"""Fitted on people who are in no test (``docs/results/people.md``): the likeness that one in 1,000 comparisons of different
people reaches rises with the product of both hazes, and not at all if one of the faces is large and sharp.
"""
_LARGE_PX = 64.0


def haze_of(sizes_px: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the haze of faces of these sizes, how much they look alike only because they have lost detail: (N,)."""
    logs = np.log(np.maximum(sizes_px, 1.0))
    return np.asarray(np.interp(logs, np.log(_SIZES_PX), _HAZE), np.float32)


@dataclass(frozen=True)
class Worth:
    """What one comparison says."""

    log10_lr: float
    """Likelihood ratio as a power of ten, within the bounds."""
    bounds: tuple[float, float]
    """Smallest and largest log10 ratio that can be shown for such faces."""
    bucket: str
    """Which faces it was calibrated on, in words."""
    calibration: str
    """Id of the calibration."""


class Likeness:
    """Compares vectors of one embedder.

    Args:
        embedder_sha256: identifies the embedder.

    Raises:
        ModelError: a measurement that ships is damaged.
    """

    def __init__(self, embedder_sha256: str) -> None:
        self.measured: OpenSet | None = open_set_of(embedder_sha256)
        self.calibration: Calibration | None = calibration_of(embedder_sha256) if self.measured else None

    def crowding(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the crowding of each vector, how much it looks like many people (see ``open_set``): (N,); zeros if that was
        not measured.
        """
        return np.zeros(len(vectors), np.float32) if self.measured is None else self.measured.crowding(vectors)

    def resemblance(self, one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``2 cos - crowd - crowd`` of a vector (d,) with each of others (N, d), all of length 1: (N,)."""
        return np.asarray(2 * (others @ one) - self.crowding(one[None])[0] - self.crowding(others), np.float32)

    def most_resemblance(self, one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return an upper bound on ``resemblance`` at a tenth of its cost: (N,).

        It holds because those members of a crowd that are most like a face are, on average, at least as much like it as the
        whole crowd.
        """
        if self.measured is None:
            return self.resemblance(one, others)
        mean = self.measured.crowd.mean(axis=0)
        return np.asarray(others @ (2 * one - mean) - self.crowding(one[None])[0], np.float32)

    def log10_ratios(
        self,
        resemblances: NDArray[np.floating[Any]],
        sizes_px: NDArray[np.float64],
        moments: NDArray[np.int64],
        tries: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the log10 likelihood ratio of each of N comparisons, as ``worth`` gives it; NaN where such faces were not
        calibrated.
        """
        found = np.full(len(resemblances), np.nan)
        if self.calibration is None:
            return found
        for bucket in self.calibration.buckets:
            inside = (sizes_px >= bucket.low_px) & (sizes_px < bucket.high_px) & ((moments > 1) == (bucket.least_faces > 1))
            found[inside] = self.calibration.log10_ratio(resemblances[inside], bucket, tries[inside])
        return found

    def worth(self, resemblance: float, size_px: float, moments: int, tries: int = 1) -> Worth | None:
        """Return what a comparison is worth; None where such faces were not calibrated.

        Args:
            resemblance: of the two faces.
            size_px: size of the smaller face.
            moments: number of moments at which it was seen.
            tries: how many comparisons this one is the best of; a chance match is as many times as likely.
        """
        if self.calibration is None or (bucket := self.bucket(size_px, moments)) is None:
            return None
        ratio = self.calibration.log10_ratio(np.array([resemblance]), bucket, tries)[0]
        return Worth(told(ratio), bucket.bounds, bucket.words, self.calibration.id)

    def bucket(self, size_px: float, moments: int) -> Bucket | None:
        """Return the class of faces that such a face was calibrated in; None if there is none."""
        return None if self.calibration is None else self.calibration.bucket_of(size_px, moments)

    @property
    def largest_worth(self) -> float | None:
        """Largest log10 likelihood ratio that two large faces, seen at several moments, can reach; None if nothing was
        calibrated.
        """
        bucket = self.bucket(_LARGE_PX, 2)
        return None if bucket is None else bucket.highest

    def resemblance_worth(self, log10_lr: float) -> float:
        """Return the least resemblance at which two large faces, seen at several moments, reach a log10 likelihood ratio;
        infinite if they cannot, or if nothing was calibrated.
        """
        bucket = self.bucket(_LARGE_PX, 2)
        if self.calibration is None or bucket is None or log10_lr > bucket.highest:
            return float("inf")
        at = np.linspace(-0.2, 0.6, 8001)
        return float(at[np.searchsorted(self.calibration.log10_ratio(at, bucket), log10_lr)])

    def by_chance(self, resemblance: float, size_px: float, compared: int) -> float | None:
        """Return an upper bound on how many of ``compared`` strangers look this much like one picture, on average; None: not
        measured.
        """
        if self.measured is None or size_px < self.measured.smallest_px:
            return None
        return compared * self.measured.chance(resemblance, size_px, 1)
