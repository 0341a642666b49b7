"""Measures strangers in one scene: people in one picture, so in the same light, in front of the same camera, often of the same
age.

The crowd is widened by the faces of the pictures, so that faces rare in LFW (children, other continents, blurred and dark
faces) do not count as rare. No pair is compared over a crowd that contains it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.verify.open_set import OpenSet, crowding_of
from trt_build.data.people.group_pictures import GroupFaces
from trt_build.errors import DataError
from trt_build.protocols.open_set.crowd import as_stored, make_crowd

CHANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
_FAR_CHANCE = 1e-5
_TAIL = 2
"""Index in ``CHANCES`` of the last one that is counted: some hundred pictures show no rarer one. The tail beyond is taken as
exponential (Pickands 1975).
"""
_FEWEST = 100
"""Least number of pictures, so that the last counted chance is one of them."""
_BOOTSTRAPS, _SURE = 2000, 0.95
_SEED = 20261129


@dataclass(frozen=True, eq=False)
class ScenePairs:
    """P pairs of two people in one picture."""

    resemblance: NDArray[np.float64]
    sizes_px: NDArray[np.float64]
    """(P,) size of the smaller face."""
    pictures: NDArray[np.int64]
    faces: NDArray[np.int64]
    """(P, 2) rows of ``GroupFaces``."""


def wider_crowd(crowd: Float32, faces: GroupFaces, half: int | None = None) -> Float32:
    """Return a crowd widened by groups of all faces of the pictures, or of one half of them, bare or masked: (K, length)."""
    chosen = slice(None) if half is None else faces.halves == half
    return as_stored(np.concatenate([crowd, make_crowd(faces.vectors[chosen])]))


def crowd_without(faces: GroupFaces, measured: OpenSet) -> Float32:
    """Return the crowd without the groups that widened it: (K, length)."""
    return measured.crowd[: len(measured.crowd) - len(make_crowd(faces.vectors))]


def scene_pairs(faces: GroupFaces, crowd: Float32, *, masked: bool = False, wider: bool = True) -> ScenePairs:
    """Return all pairs of people in one picture; each half of the pictures is compared over a crowd without it.

    Args:
        faces: in pictures.
        crowd: (K, length), without them.
        masked: only faces with a mask, in place of those without.
        wider: False: over the crowd alone.
    """
    parts = []
    for half in (0, 1):
        over = wider_crowd(crowd, faces, 1 - half) if wider else crowd
        rows = np.flatnonzero(faces.is_somebody & (faces.is_bare != masked) & (faces.halves == half))
        crowding = crowding_of(faces.vectors[rows], over)
        alike = 2 * faces.vectors[rows] @ faces.vectors[rows].T - crowding[:, None] - crowding
        one, other = np.nonzero(np.triu(faces.pictures[rows][:, None] == faces.pictures[rows], 1))
        pairs = np.stack([rows[one], rows[other]], axis=1)
        parts.append((alike[one, other].astype(np.float64), pairs))
    resemblance, pairs = (np.concatenate(one) for one in zip(*parts, strict=True))
    return ScenePairs(resemblance, faces.sizes_px[pairs].min(axis=1), faces.pictures[pairs[:, 0]], pairs)


def scene_weights(pairs: ScenePairs) -> NDArray[np.float64]:
    """Return the weight of each pair, (P,); those of one picture sum to 1.

    Each picture is one scene, however many people it shows: otherwise a few crowded halls would dominate.
    """
    _, place, sizes = np.unique(pairs.pictures, return_inverse=True, return_counts=True)
    return np.asarray(1 / sizes[place], np.float64)


def scene_shares(pairs: ScenePairs, measured: OpenSet, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of pairs of people in one scene whose resemblance reaches each value: (N,), descending for ascending
    ``at``.

    Rare shares are those of the limits of names, with their bound and tail, so that ratios and names rest on the same numbers.
    More common ones are counted.

    Args:
        pairs: pairs that the limits of names rest on.
        measured: these limits.
        at: (N,) resemblance.
    """
    order = np.argsort(pairs.resemblance)
    below = np.append(0.0, np.cumsum(scene_weights(pairs)[order]))
    counted = 1 - below[np.searchsorted(pairs.resemblance[order], at)] / below[-1]
    named = np.array([measured.scene_chance(one) for one in at.tolist()])
    common = np.maximum(counted, measured.scene_chances[0])
    return np.asarray(np.where(at < measured.scene_limits[0], common, named), np.float64)


def scene_limits(pairs: ScenePairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return chances, descending, and the resemblance that a stranger in the picture's scene reaches with each.

    Each picture counts once, see ``scene_weights``. From 1 in 100 on they are upper bounds at 95 %, by a bootstrap over
    pictures. They hardly depend on size, so all sizes count together.

    Raises:
        DataError: the pairs are of too few pictures.
    """
    rng = np.random.default_rng(_SEED)
    order = np.argsort(-pairs.resemblance)
    values, weights = pairs.resemblance[order], scene_weights(pairs)[order]
    found, place = np.unique(pairs.pictures[order], return_inverse=True)
    count = len(found)
    if count < _FEWEST:
        raise DataError(f"Pairs of people stand in {count:,} of the pictures: give more, at least {_FEWEST:,} are needed.")
    plain = _reached(values, weights)
    draws = (np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(_BOOTSTRAPS))
    upper = np.quantile([_reached(values, weights * draw[place]) for draw in draws], _SURE, axis=0)
    rare = np.arange(len(plain)) >= _TAIL
    return np.array([*CHANCES, _FAR_CHANCE]), np.maximum.accumulate(np.where(rare, np.maximum(plain, upper), plain))


def _reached(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value reached with each chance, the rarest from the mean excess; ``values`` are descending."""
    common, rare = np.array(CHANCES[: _TAIL + 1]), np.array([*CHANCES[_TAIL + 1 :], _FAR_CHANCE])
    limits = values[np.searchsorted(np.cumsum(weights) / weights.sum(), common)]
    beyond = values >= limits[-1]
    excess = np.average(values[beyond] - limits[-1], weights=weights[beyond])
    return np.append(limits, limits[-1] + excess * np.log(CHANCES[_TAIL] / rare))
