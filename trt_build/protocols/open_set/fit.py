"""Fits the limits of an embedder (``engine.verify.open_set``) to tracks of known people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.verify.open_set import OpenSet, crowding_of
from trt_build.data.people.group_pictures import GroupFaces
from trt_build.data.people.photographs import Photographs, person_of
from trt_build.data.people.recording import NOBODY, Arrays
from trt_build.errors import DataError
from trt_build.protocols.open_set.crowd import as_stored, make_crowd
from trt_build.protocols.open_set.galleries import OWN, mean_rates
from trt_build.protocols.open_set.scenes import scene_limits, scene_pairs, wider_crowd

CHANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
_FAR_CHANCE = 1e-6
"""A chance as rare as a few pairs in all, which is fitted instead of counted."""
_FIRST_RARE = 3
"""Index in ``CHANCES`` from which on the limits are upper bounds; before it there are enough pairs."""
_BOOTSTRAPS, _SURE = 100, 0.95
_OWN_LOW, _OWN_HIGH = 0.01, 0.95
_SEED = 20261128


def crowd_of_people(photographs: Photographs, crowd_people: Sequence[str]) -> Float32:
    """Return the crowd made from the best photograph of each person, (K, length)."""
    best = photographs.of_people()
    return as_stored(make_crowd(photographs.vectors[[best[person][0] for person in crowd_people]]))


def fit(
    tracks: Arrays,
    photographs: Photographs,
    crowd_people: Sequence[str],
    groups: GroupFaces,
    sizes_px: Sequence[float],
    embedder_sha256: str,
) -> OpenSet:
    """Return the limits that strangers' tracks reach.

    Each track is compared with one picture of everyone who is in neither the crowd nor the track.

    Args:
        tracks: of people who are not in the crowd, see ``Recorder.record``.
        photographs: everyone's.
        crowd_people: people of the crowd, besides those of ``groups``.
        groups: pictures of several people, which show strangers in one scene.
        sizes_px: sizes at which the faces were rendered.
        embedder_sha256: of the embedder.

    Raises:
        DataError: there are too few tracks of a size, or pairs of people in one scene.
    """
    best = {person: pictures[0] for person, pictures in photographs.of_people().items()}
    sharp = crowd_of_people(photographs, crowd_people)
    crowd, pairs_of_scenes = wider_crowd(sharp, groups), scene_pairs(groups, sharp)
    enrolled = sorted(set(best) - set(crowd_people))
    gallery = photographs.vectors[[best[person] for person in enrolled]]
    own_pictures = {photographs.actors[best[person]].name for person in enrolled}
    row = {person: at for at, person in enumerate(enrolled)}
    crowding = crowding_of(gallery, crowd)
    whose = np.array([person_of(name) if name != NOBODY else "" for name in tracks["picture"].tolist()])
    pairs, met, lows, highs, medians, counts = list[_Pairs](), list[Float32](), [], [], [], []
    for size in sizes_px:
        chosen = np.flatnonzero((tracks["place_px"] == size) & np.isin(whose, enrolled))
        if len(chosen) < 100:
            raise DataError(f"There are {len(chosen)} tracks of faces of {size:g} px: at least 100 are needed.")
        vectors = tracks["vector"][chosen]
        all_pairs = 2 * vectors @ gallery.T - crowding_of(vectors, crowd)[:, None] - crowding[None]
        own = (np.arange(len(chosen)), np.array([row[person] for person in whose[chosen].tolist()]))
        probe = np.array([name not in own_pictures for name in tracks["picture"][chosen].tolist()])
        pairs.append(_pairs_of(all_pairs, own[1], own[1], len(enrolled)))
        lows.append(np.quantile(all_pairs[own][probe], _OWN_LOW))
        highs.append(np.quantile(all_pairs[own][probe], _OWN_HIGH))
        all_pairs[own] = OWN
        met.append(all_pairs)
        medians.append(np.median(sizes_of(tracks)[chosen]))
        counts.append(len(chosen))
    people = len(set(whose) & set(enrolled))
    provenance = (
        f"{sum(counts):,} tracks of {people:,} people, each against {len(enrolled) - 1:,} others; "
        f"{len(pairs_of_scenes.resemblance):,} pairs of people in {len(np.unique(pairs_of_scenes.pictures)):,} pictures; "
        f"the crowd: {len(crowd):,} groups of {len(crowd_people):,} people and {len(groups.vectors):,} faces of pictures"
    )
    return OpenSet(
        crowd, np.array(medians), np.array([*CHANCES, _FAR_CHANCE]), _limits(pairs), np.array(lows), np.array(highs),
        *mean_rates(met), *scene_limits(pairs_of_scenes), len(pairs_of_scenes.resemblance), np.array(counts, np.int64),
        embedder_sha256, provenance,
    )  # fmt: skip


def sizes_of(tracks: Arrays) -> NDArray[np.float64]:
    """Return the size of each track: the mean of its faces' sizes, weighted by quality as at the time of recording. The product
    now uses weights fitted to the embedder.
    """
    count = len(tracks["picture"])
    weights = np.bincount(tracks["face_track"], tracks["face_weight"], count)
    return np.bincount(tracks["face_track"], tracks["face_weight"] * tracks["face_size_px"], count) / np.maximum(weights, 1e-12)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Resemblance of the tracks of one size with other people's pictures."""

    common: NDArray[np.float64]
    """Resemblance at the first of ``CHANCES``, for which there are enough pairs."""
    values: NDArray[np.float64]
    """Resemblance of the rarer pairs, descending."""
    people: NDArray[np.int64]
    """The stranger of each value."""
    pictures: NDArray[np.int64]
    """The picture of each value."""
    met: NDArray[np.int64]
    """(P, N): how many tracks of each stranger met each picture."""


def _pairs_of(resemblance: Float32, own: NDArray[np.int64], strangers: NDArray[np.int64], people: int) -> _Pairs:
    """Return the pairs, from the (T, N) resemblance of tracks and pictures, the own picture and person of each track (T,), and
    the number of people.
    """
    others = np.ones(resemblance.shape, np.bool_)
    others[np.arange(len(own)), own] = False
    common = np.quantile(resemblance[others], 1 - np.array(CHANCES[:_FIRST_RARE])).astype(np.float64)
    threshold = np.quantile(resemblance[others], 1 - CHANCES[_FIRST_RARE - 1])
    rows, columns = np.nonzero(others & (resemblance >= threshold))
    order = np.argsort(-resemblance[rows, columns])
    rows, columns = rows[order], columns[order]
    met = np.zeros((people, resemblance.shape[1]), np.int64)
    np.add.at(met, strangers, others.astype(np.int64))
    return _Pairs(common, resemblance[rows, columns].astype(np.float64), strangers[rows], columns, met)


def _limits(sizes: Sequence[_Pairs]) -> NDArray[np.float64]:
    """Return for each size the resemblance reached with each of ``CHANCES``, and with ``_FAR_CHANCE``; the rarer ones are upper
    bounds at 95 %.

    Beyond the last one the tail is taken as exponential (Pickands 1975), with a mean excess halfway between that of the size,
    which few pairs show, and that of all sizes together: larger faces have the longer tail. In tests on halves of the people
    this kept the rates in more galleries than either alone, with as many right names. The bounds come from a bootstrap over
    people, both strangers and enrolled (Owen 2007).
    """
    rng = np.random.default_rng(_SEED)
    people, pictures = sizes[0].met.shape
    drawn = [_tails(sizes, np.ones(people), np.ones(pictures))]
    for _ in range(_BOOTSTRAPS):
        weights = (np.bincount(rng.integers(0, count, count), minlength=count) for count in (people, pictures))
        drawn.append(_tails(sizes, *(weight.astype(np.float64) for weight in weights)))
    rare = np.maximum(np.quantile(drawn[1:], _SURE, axis=0), drawn[0])
    return np.maximum.accumulate(np.hstack([np.stack([one.common for one in sizes]), rare]), axis=1)


def _tails(sizes: Sequence[_Pairs], people: NDArray[np.float64], pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the limits of the rarer chances, (S, C), with weighted people and pictures."""
    wanted = np.array(CHANCES[_FIRST_RARE:])
    counted, excess, weight = [], [], []
    for one in sizes:
        weights = people[one.people] * pictures[one.pictures]
        reached = np.cumsum(weights) / float(people @ one.met @ pictures)
        limits = one.values[np.minimum(np.searchsorted(reached, wanted), len(one.values) - 1)]
        beyond = one.values >= limits[-1]
        excess.append(float(weights[beyond] @ (one.values[beyond] - limits[-1])))
        weight.append(max(float(weights[beyond].sum()), 1e-12))
        counted.append(limits)
    mean_excess = (np.array(excess) / weight + sum(excess) / sum(weight)) / 2
    far = [limits[-1] + one * np.log(CHANCES[-1] / _FAR_CHANCE) for limits, one in zip(counted, mean_excess, strict=True)]
    return np.stack([np.append(limits, last) for limits, last in zip(counted, far, strict=True)])
