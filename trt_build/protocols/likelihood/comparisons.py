"""Compares recorded tracks with photographs, of one person and of two, in the buckets of a calibration."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.verify.open_set import OpenSet
from trt_build.data.people.photographs import Photographs, person_of
from trt_build.data.people.recording import Arrays
from trt_build.protocols.open_set.fit import sizes_of

SIZES_PX = (14.0, 20.0, 28.0, 40.0, float("inf"))
"""Boundaries of the buckets: halfway between the recorded sizes."""
STEP = 1e-4
"""Step of the grid of the resemblance: comparisons within one step count as equal."""
_LOWEST, _STEPS = -0.9, 18_000
_MOST_OWN = 8
"""Most other photographs of its person with which a track is compared."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Comparisons of one bucket. Each person counts once in those of one person, and each pair of people once in those of two,
    however many tracks and photographs they have.
    """

    low_px: float
    high_px: float
    several: bool
    same: NDArray[np.int64]
    """(n,) step of the resemblance, see ``GRID``."""
    same_person: NDArray[np.int64]
    """(n,)"""
    same_weight: NDArray[np.float64]
    """(n,)"""
    different: NDArray[np.int64]
    """(m,) step of the resemblance."""
    different_person: NDArray[np.int64]
    """(m,) person of the track."""
    different_picture: NDArray[np.int64]
    """(m,) person of the photograph."""
    different_weight: NDArray[np.float64]
    """(m,)"""
    people: int
    """Number of people in all buckets; indices of people are below it."""

    def histograms(self, draws: NDArray[np.float64] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weights over ``GRID`` of the comparisons of one person and of two.

        Args:
            draws: (people,) how often each person counts; None: once.
        """
        same, different = self.same_weight, self.different_weight
        if draws is not None:
            same = same * draws[self.same_person]
            different = different * draws[self.different_person] * draws[self.different_picture]
        counted = [np.bincount(places, weights, _STEPS) for places, weights in ((self.same, same), (self.different, different))]
        return counted[0].astype(np.float64), counted[1].astype(np.float64)


EDGES: NDArray[np.float64] = np.asarray(_LOWEST + np.arange(_STEPS) * STEP, np.float64)
"""Resemblance at the lower end of each step of the grid."""
GRID: NDArray[np.float64] = np.asarray(EDGES + STEP / 2, np.float64)
"""Resemblance at the centre of each step."""


def comparisons_of(
    tracks: Arrays, photographs: Photographs, measured: OpenSet, apart: Collection[str] = ()
) -> list[Comparisons]:
    """Return all buckets, by size, and for each size single faces first.

    A track is compared with the other photographs of its person, and with the best photograph of everybody else. A single face
    is the first of its track.

    Args:
        tracks: see ``Recorder.record``.
        photographs: everybody's.
        measured: provides the crowd of the resemblance.
        apart: people who are not compared, such as those of the crowd.
    """
    best = {person: several for person, several in photographs.of_people().items() if person not in apart}
    place = {person: at for at, person in enumerate(best)}
    whose = np.array([place.get(person_of(name), -1) for name in tracks["picture"].tolist()])
    counts = np.bincount(tracks["face_track"], minlength=len(whose))
    faces = np.unique(tracks["face_track"], return_index=True)[1]
    sizes = sizes_of(tracks)
    buckets = []
    for low, high in itertools.pairwise(SIZES_PX):
        single = faces[(tracks["face_size_px"][faces] >= low) & (tracks["face_size_px"][faces] < high)]
        several = np.flatnonzero((sizes >= low) & (sizes < high) & (counts > 1))
        for is_several, vectors, shown in (
            (False, tracks["face_vector"][single], tracks["face_track"][single]),
            (True, tracks["vector"][several], several),
        ):
            known = whose[shown] >= 0
            compared = _Compared(vectors[known], whose[shown][known], tracks["picture"][shown][known])
            buckets.append(_bucket((low, high, is_several), compared, photographs, list(best.values()), measured))
    return buckets


@dataclass(frozen=True, eq=False)
class _Compared:
    vectors: Float32
    people: NDArray[np.int64]
    pictures: NDArray[np.str_]


def _bucket(
    which: tuple[float, float, bool], one: _Compared, photographs: Photographs, people: list[list[int]], measured: OpenSet
) -> Comparisons:
    crowding = measured.crowding(one.vectors)
    rows, own = list[int](), list[int]()
    for row, (person, picture) in enumerate(zip(one.people.tolist(), one.pictures.tolist(), strict=True)):
        others = [at for at in people[person] if photographs.actors[at].name != picture][:_MOST_OWN]
        rows += [row] * len(others)
        own += others
    pictures = photographs.vectors[own]
    same = 2 * np.einsum("nd,nd->n", one.vectors[rows], pictures) - crowding[rows] - measured.crowding(pictures)
    same_person = one.people[rows]
    gallery = photographs.vectors[[several[0] for several in people]]
    alike = 2 * one.vectors @ gallery.T - crowding[:, None] - measured.crowding(gallery)[None]
    met = np.zeros((len(people), len(people)), np.int64)
    np.add.at(met, one.people, 1)
    stranger = np.broadcast_to(one.people[:, None], alike.shape)
    picture = np.broadcast_to(np.arange(len(people))[None], alike.shape)
    others = stranger != picture
    stranger, picture = stranger[others], picture[others]
    return Comparisons(
        *which,
        place_of(same), same_person, 1 / np.bincount(same_person, minlength=1)[same_person],
        place_of(alike[others]), stranger, picture, 1 / met[stranger, picture], len(people),
    )  # fmt: skip


def place_of(resemblance: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return the step of ``GRID`` of each value; values beyond the grid are in the outermost step."""
    return np.clip(((resemblance - _LOWEST) / STEP).astype(np.int64), 0, _STEPS - 1)
