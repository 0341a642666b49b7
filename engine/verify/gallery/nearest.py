"""Whom a face resembles most, exactly, without looking at the whole of every vector.

A vector is turned so that its first values hold nearly all of what tells people apart (``OpenSet.directions``). With ``h`` the
first values and ``t`` the rest of them, ``cos(x, y) = h(x) h(y) + t(x) t(y)``, and by Cauchy and Schwarz the second product is
at most ``|t(x)| |t(y)|``. So of each picture a *sketch* is kept: ``h``, ``|t|`` and half of how crowded it is, and one product
with that bounds its resemblance from above. Those whose bound is below what the best ones reach cannot be among them; the
others are compared in full. What comes of it is what comes of comparing all in full, whatever the directions are: only time
depends on them.
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
"""More than rounding takes from a bound: products of vectors of length 1 in float32 are off by length times 6e-8 at most."""
_SEEDS = 32
"""Pictures with the highest bounds that are compared first: what they reach decides which others have to be."""
_MORE = 16
_FEW = 20_000
"""Pictures; so many are compared in full at once in less time."""
_CHUNK = 256
_WORTH = 16
"""Where more than one picture in so many is left, it is quicker to compare all in full."""
_MOST_REST = 0.05
"""Mean square of ``|t|``; that of faces is 0.017. With more the bounds are hardly worth their time."""


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
    """Return the places of the people whom a face resembles most, best first, of equals the first, and how much it does: as if
    the best picture of each had been looked for.

    Args:
        people: at least one.
        measured: over whose crowd the resemblance is.
        vector: (length,) of length 1.
        limit: at most so many.
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
    """Whether the directions are those in which these people differ, by those of the first leaf."""
    rest = people.sketches(measured)[0][:, -2]
    return float(np.vdot(rest, rest)) <= _MOST_REST * len(rest)


def _contenders(people: Snapshot, measured: OpenSet, vector: Float32, wanted: int) -> NDArray[np.intp]:
    """Return rows among which are all of the pictures by which so many people are the first ones."""
    bounds, seeds = _bounds(people, measured, vector), _SEEDS
    while True:
        places, values = _best(people, measured, vector, _highest(bounds, seeds))
        if len(places) >= wanted:
            break
        seeds *= _MORE
    own = float(measured.crowding(vector[None])[0])
    return np.flatnonzero(bounds >= (np.sort(values)[-wanted] + own) / 2 - _SLACK)


def _bounds(people: Snapshot, measured: OpenSet, vector: Float32) -> Float32:
    """Return what the cosine of a face and each picture, less half of the picture's crowding, is at most: (N,)."""
    [first], [rest] = _split(vector[None], measured.directions)
    asked = np.array([*first, rest, 1.0], np.float32)
    bounds = np.empty(people.pictures, np.float32)
    for sketch, (_, start, end, _) in zip(people.sketches(measured), people.stretches, strict=True):
        np.dot(sketch, asked, out=bounds[start:end])
    return bounds


def _highest(bounds: Float32, count: int) -> NDArray[np.intp]:
    """Return at least so many rows with the highest bounds, or all."""
    if len(bounds) <= count:
        return np.arange(len(bounds))
    # The highest of each chunk are so many rows, too, and there are few of them to sort.
    chunks = np.maximum.reduceat(bounds, np.arange(0, len(bounds), _CHUNK))
    among = chunks if len(chunks) >= count else bounds
    return np.flatnonzero(bounds >= np.partition(among, -count)[-count])


def _best(
    people: Snapshot, measured: OpenSet, vector: Float32, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the people of some rows, each once, and how much a face resembles the best of these rows."""
    matrix, crowding, places = people.picked(rows, measured.crowd)
    values = measured.resemblance(vector, matrix, crowding).astype(np.float64)
    found, of = np.unique(places, return_inverse=True)
    best = np.full(len(found), -np.inf)
    np.maximum.at(best, of, values)
    return found, best
