"""The weight of a comparison as evidence: log10 likelihood ratios from a stored calibration; pure functions.

A ratio says how much more probable a resemblance (``engine.verify.open_set``) of a face and a picture is if they show one
person than if they show two. In each bucket, by the size of the face and whether several faces were fused, the log ratio is a
straight line (logistic regression) over the warped resemblance, which rises faster above 0: among faces that look more alike
than strangers do, a small increase says more. The line ends at the bounds beyond which the people behind it are too few to show
anything (ELUB: Vergeer et al., "Numerical likelihood ratios outputted by LR systems are often based on extrapolation", 2016).

There are in fact two lines: one against anybody, and one against another person in the scene in which the picture was taken,
who looks more like it because of light, camera and company. The second is over the resemblance itself, because rare
resemblances within a scene are taken to fall off exponentially. It is not known which of the two another person would be, so
the lower ratio is used.

A ratio does not say how probable it is that it *is* the person: that takes a prior, which only the user can state.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.models.measured import measured_of, reading

_COLUMNS = (
    "low_px",
    "high_px",
    "least_faces",
    "offset",
    "slope",
    "scene_offset",
    "scene_slope",
    "lowest",
    "highest",
    "same",
    "different",
)
_ID_DIGITS = 12
_DECIMALS = 2
"""Precision of reported ratios: a hundredth of a power of ten is 2 %, and the bounds themselves are less certain."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A class of faces of similar quality."""

    low_px: float
    high_px: float
    """Faces of at least ``low_px`` and below ``high_px``, which may be infinite."""
    least_faces: int
    """1: one face alone, or those of one moment; 2: several, fused."""
    offset: float
    slope: float
    """Against anybody: log10 likelihood ratio = offset + slope * warped resemblance; the slope is above 0."""
    scene_offset: float
    scene_slope: float
    """Against somebody else of the picture's scene: offset + slope * resemblance, which is not warped."""
    lowest: float
    highest: float
    """Bounds of the log10 likelihood ratio, on either side of 0: what both can show."""
    same: int
    """Number of people whose own pictures it rests on."""
    different: int
    """Number of pairs of people from different scenes that it rests on."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest log10 ratio that can be shown, rounded as by ``told``."""
        return told(self.lowest), told(self.highest)

    @property
    def words(self) -> str:
        """Such as ``28-40 px, several faces``."""
        size = f"{self.low_px:g}-{self.high_px:g} px" if np.isfinite(self.high_px) else f"{self.low_px:g} px and more"
        return f"{size}, {'several faces' if self.least_faces > 1 else 'one face'}"


@dataclass(frozen=True, eq=False)
class Calibration:
    """Measurement of one embedder through the whole pipeline."""

    buckets: tuple[Bucket, ...]
    curve: float
    """Curvature of the warp of all buckets, see ``warped``; not negative."""
    rates: NDArray[np.float64]
    """(R,) descending: shares of comparisons of two people."""
    limits: NDArray[np.float64]
    """(B, R) resemblance that this share reaches, by bucket; it rises along each row, and is infinite where the bucket's
    comparisons are too few to show the rate."""
    embedder_sha256: str
    provenance: str
    """What it rests on, in one sentence."""
    id: str = ""
    """The first digits of the file's SHA-256."""

    def bucket_of(self, size_px: float, moments: int) -> Bucket | None:
        """Return the bucket of fused faces of this mean size from ``moments`` moments; None if such faces were not measured.

        Faces of one moment count as one face, as in the fusion.
        """
        of_size = (one for one in self.buckets if one.low_px <= size_px < one.high_px)
        return next((one for one in of_size if (one.least_faces > 1) == (moments > 1)), None)

    def log10_ratio(
        self, resemblance: NDArray[np.floating[Any]], bucket: Bucket, pictures: int | NDArray[np.int64] = 1
    ) -> NDArray[np.float64]:
        """Return the log10 likelihood ratio of each comparison, bounded; it never falls where the resemblance rises.

        Args:
            resemblance: of any shape, with a person's best picture, see ``OpenSet.resemblance``.
            bucket: one of ``buckets``.
            pictures: number of enrolled pictures of the person, or of each person: the best of three is this good by chance
                three times as often.
        """
        score = warped(resemblance, self.curve)
        scene = bucket.scene_offset + bucket.scene_slope * np.asarray(resemblance, np.float64)
        line = np.minimum(bucket.offset + bucket.slope * score, scene)
        return np.asarray(np.clip(line - np.log10(np.maximum(pictures, 1)), bucket.lowest, bucket.highest), np.float64)

    @property
    def different(self) -> int:
        """Number of pairs of two people in all buckets of single faces, or in all others, whichever is smaller."""
        return min(sum(one.different for one in self.buckets if (one.least_faces > 1) == several) for several in (False, True))

    @property
    def smallest_rate(self) -> float:
        """The smallest share of comparisons of two people that the data can show in at least one bucket."""
        return float(self.rates[-1])

    @property
    def largest_rate(self) -> float:
        """The largest share whose resemblance was stored."""
        return float(self.rates[0])

    def limit(self, bucket: Bucket, rate: float) -> float:
        """Return the resemblance that no more than ``rate`` of the comparisons of two people reach; infinite if the bucket has
        too few to show that. Above ``largest_rate`` the limit is that rate's, so fewer pass than allowed.
        """
        row = self.limits[self.buckets.index(bucket)]
        shown = np.isfinite(row)
        return float(np.interp(-np.log(rate), -np.log(self.rates[shown]), row[shown], right=np.inf))


def told(log10_ratio: float) -> float:
    """Return a log10 likelihood ratio rounded to a hundredth, as messages, pages and commands report it."""
    return round(float(log10_ratio), _DECIMALS)


def warped(resemblance: NDArray[np.floating[Any]], curve: float) -> NDArray[np.float64]:
    """Return ``r + curve * max(r, 0)**2``."""
    values = np.asarray(resemblance, np.float64)
    return np.asarray(values + curve * np.maximum(values, 0.0) ** 2, np.float64)


def probabilities(log10_ratios: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    """Return for each person the probability that the face is theirs, by Bayes' theorem: (P,).

    Args:
        log10_ratios: (P,) of everyone enrolled whose face it may be.
        prior: prior probability, 0 to 1, that it is somebody enrolled, shared equally among them.
    """
    if not len(log10_ratios) or prior <= 0:
        return np.zeros(len(log10_ratios))
    shares = prior / len(log10_ratios) * 10.0**log10_ratios
    return np.asarray(shares / (1 - prior + shares.sum()), np.float64)


@functools.cache
def calibration_of(embedder_sha256: str) -> Calibration | None:
    """Return the calibration of an embedder; None if there is none.

    Raises:
        ModelError: a shipped file is damaged.
    """
    return measured_of(embedder_sha256, "likelihood", read_calibration)


def read_calibration(path: Path) -> Calibration:
    """Read what ``write_calibration`` wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with reading(path, "the calibration of an embedder"):
        data = path.read_bytes()
        with np.load(io.BytesIO(data)) as stored:
            columns = np.asarray(stored["lines"], np.float64)
            rates, limits = np.asarray(stored["rates"], np.float64), np.asarray(stored["limits"], np.float64)
            curve, sha256, provenance = float(stored["curve"]), str(stored["embedder_sha256"]), str(stored["provenance"])
        buckets = tuple(_bucket(dict(zip(_COLUMNS, row.tolist(), strict=True))) for row in columns)
        one = Calibration(buckets, curve, rates, limits, sha256, provenance, hashlib.sha256(data).hexdigest()[:_ID_DIGITS])
        _check(one)
    return one


def write_calibration(one: Calibration, path: Path) -> None:
    """Write the calibration; its id follows from the file."""
    np.savez_compressed(
        path,
        allow_pickle=False,
        lines=np.array([[float(getattr(bucket, name)) for name in _COLUMNS] for bucket in one.buckets]),
        rates=one.rates,
        limits=one.limits,
        curve=np.float64(one.curve),
        embedder_sha256=np.array(one.embedder_sha256),
        provenance=np.array(one.provenance),
    )


def _bucket(row: dict[str, float]) -> Bucket:
    counts = ("least_faces", "same", "different")
    values: dict[str, Any] = row | {name: int(row[name]) for name in counts}
    return Bucket(**values)


def _check(one: Calibration) -> None:
    """Check the tables.

    Raises:
        ValueError: they do not fit each other.
    """
    slopes = all(bucket.slope > 0 and bucket.scene_slope > 0 and bucket.lowest <= 0 <= bucket.highest for bucket in one.buckets)
    sizes = all(bucket.low_px < bucket.high_px and bucket.least_faces in (1, 2) for bucket in one.buckets)
    table = one.limits.shape == (len(one.buckets), len(one.rates)) and len(one.rates) > 1
    if not (one.buckets and slopes and sizes and table):
        raise ValueError("its tables do not agree")
    finite = np.isfinite(_finite(one.buckets)).all() and np.isfinite(one.limits[:, 0]).all() and one.curve >= 0
    falls = (np.diff(one.rates) < 0).all() and (one.rates > 0).all() and (one.limits[:, 1:] >= one.limits[:, :-1]).all()
    if not (finite and falls):
        raise ValueError("its tables do not agree")


def _finite(buckets: Iterable[Bucket]) -> list[tuple[float, ...]]:
    return [(one.low_px, one.offset, one.slope, one.scene_offset, one.scene_slope, one.lowest, one.highest) for one in buckets]
