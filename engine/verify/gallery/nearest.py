"""Exact search for the people whom a face resembles most, without reading every vector in full.

Vectors are rotated so that their first values hold nearly all that tells people apart (``OpenSet.directions``). With ``h`` the
first values and ``t`` the rest, ``cos(x, y) = h(x) h(y) + t(x) t(y)``, and by Cauchy-Schwarz the second product is at most
``|t(x)| |t(y)|``. So a *sketch* of each picture is kept: ``h``, ``|t|`` and half of its crowding; one product with it bounds
the resemblance from above. Pictures whose bound is below the resemblance of the best cannot be among them; the others are
compared in full. The result equals that of comparing all in full, whatever the directions are: only the time depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.verify.gallery.persons import highest

if TYPE_CHECKING:
    from engine.verify.gallery.snapshot import Snapshot
    from engine.verify.open_set import OpenSet

_SLACK = 1e-4
"""More than the rounding error of a bound: products of unit vectors in float32 are off by at most 6e-8 times their length."""
_SEEDS = 32
"""Number of pictures with the highest bounds that are compared first: their resemblance decides which others must be."""
_MORE = 16
_FEW = 20_000
"""With no more pictures than this, comparing all in full at once is faster."""
_CHUNK = 256
_WORTH = 16
"""If more than one picture in this many is left, comparing all in full is faster."""
_MOST_REST = 0.05
"""Largest mean square of ``|t|``; that of faces is 0.017. Above this the bounds hardly pay."""


def sketch_of(matrix: Float32, crowding: Float32, directions: NDArray[np.float64]) -> Float32:
    """Return (N, D + 2): the first values of each picture, the length of the rest, and half of its crowding, negative.

    Args:
        matrix: (N, length), each row of length 1.
        crowding: (N,) of the rows.
        directions: (D, length), orthonormal.
    """
    first, rest = _split(matrix, directions)
    return np.column_stack((first, rest, -crowding / 2)).astype(np.float32)


def _split(matrix: Float32, directions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    exact = matrix.astype(np.float64)
    first = exact @ directions.T
    return first, np.sqrt(np.maximum((exact**2).sum(axis=1) - (first**2).sum(axis=1), 0.0))


def nearest(people: Snapshot, measured: OpenSet, vector: Float32, limit: int) -> tuple[list[int], list[float]]:
    """Return the indices of the people whom a face resembles most, best first, and the resemblance with each one's best
    picture. In a tie the first person comes first.

    Args:
        people: one or more.
        measured: provides the crowd of the resemblance.
        vector: (length,) of length 1.
        limit: most people to return.
    """
    if people.pictures > _FEW and _fit(people, measured):
        rows = _contenders(people, measured, vector, min(limit, people.people))
        if len(rows) <= people.pictures // _WORTH:
            places, values = _best(people, measured, vector, rows)
            order = np.lexsort((places, -values))[:limit]
            return places[order].tolist(), values[order].tolist()
    all_of_them = measured.resemblance_at(people.cosines(vector), vector, people.crowding(measured.crowd))
    best = people.persons.best(all_of_them)
    first = highest(best, limit)
    return first, best[first].tolist()


def _fit(people: Snapshot, measured: OpenSet) -> bool:
    """Whether these people differ in the measured directions, judged by the first leaf."""
    rest = people.sketches(measured)[0][:, -2]
    return float(np.vdot(rest, rest)) <= _MOST_REST * len(rest)


def _contenders(people: Snapshot, measured: OpenSet, vector: Float32, wanted: int) -> NDArray[np.intp]:
    """Return rows that include every picture by which one of the ``wanted`` best people is found."""
    bounds, seeds = _bounds(people, measured, vector), _SEEDS
    while True:
        places, values = _best(people, measured, vector, _highest(bounds, seeds))
        if len(places) >= wanted:
            break
        seeds *= _MORE
    own = float(measured.crowding(vector[None])[0])
    return np.flatnonzero(bounds >= (np.sort(values)[-wanted] + own) / 2 - _SLACK)


def _bounds(people: Snapshot, measured: OpenSet, vector: Float32) -> Float32:
    """Return an upper bound on the cosine of a face with each picture, less half of the picture's crowding: (N,)."""
    [first], [rest] = _split(vector[None], measured.directions)
    asked = np.array([*first, rest, 1.0], np.float32)
    bounds = np.empty(people.pictures, np.float32)
    for sketch, (_, start, end, _) in zip(people.sketches(measured), people.stretches, strict=True):
        np.dot(sketch, asked, out=bounds[start:end])
    return bounds


def _highest(bounds: Float32, count: int) -> NDArray[np.intp]:
    """Return at least ``count`` rows with the highest bounds, or all."""
    if len(bounds) <= count:
        return np.arange(len(bounds))
    # The maxima of the chunks give enough rows, and there are few of them to sort.
    chunks = np.maximum.reduceat(bounds, np.arange(0, len(bounds), _CHUNK))
    among = chunks if len(chunks) >= count else bounds
    return np.flatnonzero(bounds >= np.partition(among, -count)[-count])


def _best(
    people: Snapshot, measured: OpenSet, vector: Float32, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the people of some rows, each once, and the resemblance with the best of their rows."""
    matrix, crowding, places = people.picked(rows, measured.crowd)
    values = measured.resemblance(vector, matrix, crowding).astype(np.float64)
    found, of = np.unique(places, return_inverse=True)
    best = np.full(len(found), -np.inf)
    np.maximum.at(best, of, values)
    return found, best
