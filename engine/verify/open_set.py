"""Open-set identification: when a face gets a name, so that strangers hardly ever do; pure functions over measured limits.

The score of a face and a picture in the gallery is their *resemblance*, ``2 cos(face, picture) - crowd(face) -
crowd(picture)``, where ``crowd(v)`` is the mean cosine of a vector with the ``NEAREST`` members of a crowd of strangers most
like it: a face that looks like many people must look more like the picture than other faces need to. (Symmetric adaptive score
normalisation, as in Matejka et al., "Analysis of Score Normalization in Multilingual Speaker Recognition", 2017, without its
division by the standard deviation, which gained nothing.) Each member of the crowd is the mean of a group of people, nobody's
vector.

A table gives the resemblance that a stranger's track reaches by chance with one picture, by size of the face. With ``n``
pictures enrolled the chance of any name is at most ``n`` times that of one (Boole's inequality), so the limit rises with the
gallery, and a person with several pictures counts several times. On the tracks that it was measured on, the bound is 0 to 5 %
above the truth up to 200 people, and 2 to 20 % at 1,000.

That is the mean over many galleries. But false names come in clusters: somebody who looks like an enrolled person gets the name
track after track, so most galleries have none and a few have many. A second table therefore says how low the mean must be for a
rate to hold in 95 of 100 galleries.

All these strangers were filmed by another camera than the one that took the picture. Two people in the same room, light and
camera look more alike. A third table says what they reach, at any size of face. It is not known where a picture was taken, so a
name requires both: the resemblance must exceed what strangers reach with the whole gallery, and what a stranger in the scene of
that one picture reaches.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32
from engine.errors import ConfigError
from engine.models.catalog import embedded_dir
from engine.models.measured import measured_of, reading

NEAREST = 5
"""Number of crowd members in the mean; 3 and 10 separate people as well or worse."""
_SMALLER = 0.85
"""Faces down to this share of the smallest measured size are treated as having that size; smaller ones get no name."""
_TOGETHER = 8192
_REST = 1 / 300
"""Share of the crowd's variance outside ``directions``. More directions take longer; fewer leave more full comparisons.
"""
_RULE_OF_THREE = 3.0
"""Rule of three: no case among n shows, at 95 %, a rate of at most 3 in n."""
_TABLES = ("sizes_px", "chances", "limits", "own_low", "own_high", "rates", "mean_rates", "scene_chances", "scene_limits")
_ARRAYS = ("crowd", *_TABLES, "scene_pairs", "strangers", "embedder_sha256", "provenance")


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Measurement of one embedder through the whole pipeline."""

    crowd: Float32
    """(K, length): means of groups of people."""
    sizes_px: NDArray[np.float64]
    """(S,) measured sizes of faces in pixels, ascending."""
    chances: NDArray[np.float64]
    """(C,) descending: chances that a stranger's resemblance with one picture reaches the limit."""
    limits: NDArray[np.float64]
    """(S, C) resemblance, ascending along each row."""
    own_low: NDArray[np.float64]
    """(S,) resemblance that 1 in 100 tracks fails to reach with its own person's picture: below it a face is
    nobody enrolled.
    """
    own_high: NDArray[np.float64]
    """(S,) resemblance that 1 in 20 tracks reaches with its own person's picture."""
    rates: NDArray[np.float64]
    """(R,) descending: shares of strangers' tracks that get a name in a given gallery."""
    mean_rates: NDArray[np.float64]
    """(R,) descending: mean share over galleries with which ``rates`` holds in 95 of 100 of them."""
    scene_chances: NDArray[np.float64]
    """(D,) descending: chances that the resemblance of another person in the picture's scene reaches the limit."""
    scene_limits: NDArray[np.float64]
    """(D,) resemblance, ascending, for faces of any size."""
    scene_pairs: int
    """Number of pairs of people in one scene that they rest on."""
    strangers: NDArray[np.int64]
    """(S,) number of strangers' tracks that the limits rest on."""
    embedder_sha256: str
    """The embedder that was measured."""
    provenance: str
    """What it rests on, in one sentence."""

    @property
    def smallest_rate(self) -> float:
        """The smallest share of strangers with a name that the data can support: in a gallery, in the mean, and in a scene."""
        return max(float(self.rates[-1]), _RULE_OF_THREE / float(self.strangers.sum()), _RULE_OF_THREE / self.scene_pairs)

    def check_rate(self, rate: float) -> None:
        """Refuse a false-name rate that the data cannot support.

        Raises:
            ConfigError: it is below ``smallest_rate``.
        """
        if rate < self.smallest_rate:
            least = np.ceil(self.smallest_rate * 1e5) / 1e5
            raise ConfigError(
                f"verify.false_name_rate ({rate:g}) is below what the {self.strangers.sum():,} tracks of strangers and "
                f"{self.scene_pairs:,} pairs of people of one scene behind the limits can show: use {least:g} or more, or set "
                "verify.known_cosine yourself"
            )

    def crowding(self, vectors: Float32) -> Float32:
        """Return `crowding_of` the vectors in this crowd."""
        return crowding_of(vectors, self.crowd)

    def resemblance(self, vector: Float32, matrix: Float32, crowding: Float32) -> Float32:
        """Return how much more a face looks like each picture than both look like other people: (N,).

        Args:
            vector: (length,) of length 1.
            matrix: (N, length), each of length 1.
            crowding: (N,) of the pictures.
        """
        # Row by row, so that a result does not depend on the other rows, to the last bit.
        return self.resemblance_at(np.vecdot(matrix, vector), vector, crowding)

    def resemblance_at(self, cosines: Float32, vector: Float32, crowding: Float32) -> Float32:
        """Return ``resemblance``, (N,), from the cosines of the face with each picture."""
        return np.asarray(2 * cosines - self.crowding(vector[None])[0] - crowding, np.float32)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """(D, length), orthonormal: directions in which faces differ most, judged by the crowd, see
        ``engine.verify.gallery.nearest``."""
        _, sizes, directions = np.linalg.svd(self.crowd.astype(np.float64), full_matrices=False)
        rest = 1 - np.cumsum(sizes**2) / np.sum(sizes**2)
        return np.asarray(directions[: 1 + int(np.argmax(rest <= _REST))], np.float64)

    def chance(self, resemblance: float, size_px: float, pictures: int) -> float:
        """Return an upper bound, 0 to 1, on the share of strangers with this resemblance: with any of the pictures, in 95 of
        100 galleries, or with one picture whose camera filmed them, whichever is larger.

        Args:
            resemblance: the best one.
            size_px: size of the stranger's face.
            pictures: number of pictures in the gallery.
        """
        if size_px < self.smallest_px:
            return 1.0
        log = _log_chance(resemblance, self._at(self.limits, size_px), self.chances) + np.log(max(pictures, 1))
        anywhere = min(1.0, float(np.exp(_along(log, np.log(self.mean_rates), np.log(self.rates)))))
        return max(anywhere, self.scene_chance(resemblance))

    def scene_chance(self, resemblance: float) -> float:
        """Return the share of other people filmed by a picture's camera who have this resemblance with it: 0 to 1."""
        return float(np.exp(_log_chance(resemblance, self.scene_limits, self.scene_chances)))

    def limit(self, size_px: float, pictures: int, rate: float) -> float:
        """Return the least resemblance at which ``chance`` is at most ``rate``; infinite if faces are too small for a name."""
        if size_px < self.smallest_px:
            return float("inf")
        mean = _along(np.log(rate), np.log(self.rates), np.log(self.mean_rates))
        wanted = min(mean - np.log(max(pictures, 1)), 0.0)
        return max(_limit(wanted, self._at(self.limits, size_px), self.chances), self.scene_limit(rate))

    def scene_limit(self, rate: float) -> float:
        """Return the least resemblance at which ``scene_chance`` is at most ``rate``."""
        return _limit(float(np.log(rate)), self.scene_limits, self.scene_chances)

    def stranger_limit(self, chance: float) -> float:
        """Return the resemblance with one picture that strangers of the largest measured size reach with a given chance."""
        return float(np.interp(-np.log(chance), -np.log(self.chances), self.limits[-1]))

    def is_nobody(self, resemblance: float, size_px: float) -> bool:
        """Whether 99 in 100 tracks of an enrolled person would resemble their picture more."""
        return size_px >= self.smallest_px and resemblance < float(self._at(self.own_low, size_px))

    def best_own(self, size_px: float) -> float:
        """Return the resemblance that 1 in 20 tracks reaches with its own person's picture."""
        return float(self._at(self.own_high, size_px))

    @property
    def smallest_px(self) -> float:
        """Faces smaller than this were not measured: they are never ``known`` and never ``unknown``."""
        return float(self.sizes_px[0] * _SMALLER)

    def too_small_px(self, pictures: int, rate: float) -> float:
        """Return the size below which fewer than 1 in 20 enrolled people get their name."""
        sizes = np.geomspace(self.smallest_px, self.sizes_px[-1], 200)
        named = [size for size in sizes.tolist() if self.best_own(size) >= self.limit(size, pictures, rate)]
        return min(named, default=float("inf"))

    def _at(self, values: NDArray[np.float64], size_px: float) -> NDArray[np.float64]:
        """Interpolate between the measured sizes over the logarithm of the size; values beyond them are constant."""
        logs = np.log(self.sizes_px)
        at = float(np.clip(np.interp(np.log(max(size_px, 1e-3)), logs, np.arange(len(logs))), 0, len(logs) - 1))
        low = min(int(at), len(logs) - 2) if len(logs) > 1 else 0
        share = at - low
        return np.asarray(values[low] if share == 0 else (1 - share) * values[low] + share * values[low + 1], np.float64)


def _along(at: float, steps: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Interpolate between descending steps; beyond them the difference of value and step is constant."""
    inside = float(np.clip(at, steps[-1], steps[0]))
    return float(np.interp(-inside, -steps, values)) + float(at) - inside


def _log_chance(resemblance: float, limits: NDArray[np.float64], chances: NDArray[np.float64]) -> float:
    """Return the logarithm of the chance of a resemblance, extrapolated beyond the last limit from the last two."""
    logs = np.log(chances)
    if resemblance < limits[-1]:
        return float(np.interp(resemblance, limits, logs, left=0.0))
    slope = (logs[-1] - logs[-2]) / max(limits[-1] - limits[-2], 1e-9)
    return float(logs[-1] + slope * (resemblance - limits[-1]))


def _limit(log_chance: float, limits: NDArray[np.float64], chances: NDArray[np.float64]) -> float:
    """Return the resemblance that has a chance, given as a logarithm."""
    logs = np.log(chances)
    if log_chance > logs[-1]:
        return float(np.interp(-log_chance, -logs, limits))
    return float(limits[-1] + (log_chance - logs[-1]) * (limits[-1] - limits[-2]) / (logs[-1] - logs[-2]))


def crowding_of(vectors: Float32, crowd: Float32) -> Float32:
    """Return the mean cosine of each vector with the members of a crowd most like it: (N,).

    Args:
        vectors: (N, length), each of length 1.
        crowd: (K, length).
    """
    if not len(vectors):
        return np.zeros(0, np.float32)
    nearest = min(NEAREST, len(crowd))
    parts = []
    for first in range(0, len(vectors), _TOGETHER):  # the cosines of a large gallery at once would take a hundred megabytes
        cosines = vectors[first : first + _TOGETHER] @ crowd.T
        parts.append(np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1))
    return np.asarray(np.concatenate(parts), np.float32)


@functools.cache
def open_set_of(embedder_sha256: str) -> OpenSet | None:
    """Return the measurement of an embedder; None if there is none.

    Raises:
        ModelError: a shipped file is damaged.
    """
    return measured_of(embedder_sha256, "open_set", read_open_set)


def check_false_name_rate(config: VerifyConfig) -> None:
    """Refuse a configuration whose false-name rate its embedder's measurement cannot support; no model is opened.

    Raises:
        ConfigError: the rate is too small.
        ModelError: a shipped file is damaged.
    """
    path = embedded_dir() / f"{config.embedder}_open_set.npz"
    if config.known_cosine is None and config.unknown_cosine is None and path.is_file():
        read_open_set(path).check_rate(config.false_name_rate)


def read_open_set(path: Path) -> OpenSet:
    """Read what ``write_open_set`` wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    with reading(path, "the limits of an embedder"):
        with path.open("rb") as file, np.load(file) as stored:
            kept = {name: stored[name] for name in _ARRAYS}
        tables = {name: np.asarray(kept[name], np.float64) for name in _TABLES}
        one = OpenSet(
            crowd=np.asarray(kept["crowd"], np.float32), **tables, scene_pairs=int(kept["scene_pairs"]),
            strangers=np.asarray(kept["strangers"], np.int64), embedder_sha256=str(kept["embedder_sha256"]),
            provenance=str(kept["provenance"]),
        )  # fmt: skip
        if not _agrees(one):
            raise ValueError("its tables do not agree")
    return one


def _agrees(one: OpenSet) -> bool:
    count = len(one.sizes_px)
    shapes = one.limits.shape == (count, len(one.chances)) and one.own_low.shape == one.own_high.shape == (count,)
    pairs = (one.rates, one.mean_rates), (one.scene_chances, one.scene_limits)
    if not shapes or any(left.shape != right.shape for left, right in pairs) or one.scene_pairs < 1:
        return False
    falling = (one.chances, one.rates, one.mean_rates, one.scene_chances)
    rising = (one.limits.T, one.scene_limits)
    enough = count > 0 and len(one.rates) > 0 and len(one.chances) > 1 and len(one.scene_chances) > 1
    return enough and all((np.diff(x) < 0).all() for x in falling) and all((np.diff(x, axis=0) >= 0).all() for x in rising)


def write_open_set(one: OpenSet, path: Path) -> None:
    """Write the measurement; the crowd in half precision."""
    np.savez_compressed(
        path,
        allow_pickle=False,
        crowd=one.crowd.astype(np.float16),
        **{name: np.asarray(getattr(one, name)) for name in _ARRAYS[1:]},
    )
