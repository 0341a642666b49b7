"""Which tracks show one person: agglomerative clustering with average linkage, pure functions over arrays.

The likeness of two groups is the mean of ``2 cos - crowd - crowd - haze * haze`` (``engine.desk.likeness``) over their tracks.
It is linear in the vectors, so the sum of a group's vectors and the means of its crowding and haze suffice, and no table of all
pairs is ever made. The two most alike groups are joined for as long as they are alike enough. Each round joins all pairs that
are each other's nearest, which gives the same groups as joining one pair after the other (Müllner, "Modern hierarchical,
agglomerative clustering algorithms", 2011, for reducible linkages; this is one, also with pairs that must not be joined). A
group without a near neighbour is never looked at again: joining others brings none of them nearer to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 2048
"""Number of groups compared with all others at once; keeps the memory at some tens of megabytes."""
Floats = NDArray[np.float32]
Apart = tuple[Sequence[int], Sequence[int]]
"""Two lists of tracks: nobody in the first is anybody in the second."""


@dataclass(eq=False)
class _Groups:
    sums: Floats
    """(C, d): sum of the members' vectors."""
    crowding: Floats
    """(C,) mean of the members'."""
    haze: Floats
    """(C,) mean of the members'."""
    sizes: Floats
    """(C,): number of members."""
    members: list[list[int]]
    apart: list[set[int]]
    """For each group, the numbers of the groups it must not be joined with."""


def group_tracks(
    vectors: Floats,
    crowding: Floats,
    haze: Floats,
    least: float,
    together: Iterable[Sequence[int]] = (),
    apart: Iterable[Apart] = (),
) -> NDArray[np.int64]:
    """Return for each track the number of its person, (N,); people are numbered in the order of their first tracks.

    Args:
        vectors: (N, d), each of length 1.
        crowding: (N,), of each vector.
        haze: (N,), of each track's faces.
        least: mean likeness at which two groups become one person.
        together: tracks that are one person whatever they look like; the lists do not overlap.
        apart: tracks that are not one person, unless ``together`` says otherwise.
    """
    groups = _begin(vectors, crowding, haze, together, apart)
    looking, gone = np.arange(len(groups.members)), set[int]()
    while len(looking) > 1:
        nearest, alike = _nearest(groups, looking)
        is_near = alike >= least
        looking, nearest, alike = looking[is_near], nearest[is_near], alike[is_near]
        for one, other in _pairs(looking, nearest, alike):
            _join(groups, one, other)
            gone.add(other)
        looking = np.array([at for at in looking.tolist() if at not in gone], np.int64)
    people = sorted((one for at, one in enumerate(groups.members) if at not in gone), key=min)
    labels = np.zeros(len(vectors), np.int64)
    for number, members in enumerate(people):
        labels[members] = number
    return labels


def _begin(
    vectors: Floats, crowding: Floats, haze: Floats, together: Iterable[Sequence[int]], apart: Iterable[Apart]
) -> _Groups:
    members = [sorted(set(one)) for one in together]
    taken = {at for one in members for at in one}
    members += [[at] for at in range(len(vectors)) if at not in taken]
    group_of = {at: number for number, one in enumerate(members) for at in one}
    sets: list[set[int]] = [set() for _ in members]
    for some, others in apart:
        for one in {group_of[at] for at in some}:
            for other in {group_of[at] for at in others} - {one}:
                sets[one].add(other)
                sets[other].add(one)
    return _Groups(
        np.stack([vectors[one].sum(axis=0) for one in members]) if members else np.zeros((0, 1), np.float32),
        np.array([crowding[one].mean() for one in members], np.float32),
        np.array([haze[one].mean() for one in members], np.float32),
        np.array([len(one) for one in members], np.float32),
        members,
        sets,
    )


def _nearest(groups: _Groups, looking: NDArray[np.int64]) -> tuple[NDArray[np.int64], Floats]:
    """Return for each group the other one that is most like it, and their likeness: (L,), (L,)."""
    place = {at: column for column, at in enumerate(looking.tolist())}
    means = groups.sums[looking] / groups.sizes[looking, None]
    crowding, haze = groups.crowding[looking], groups.haze[looking]
    nearest, alike = np.zeros(len(looking), np.int64), np.zeros(len(looking), np.float32)
    for first in range(0, len(looking), _TOGETHER):
        rows = slice(first, first + _TOGETHER)
        table = 2 * means[rows] @ means.T - crowding[rows, None] - crowding - np.outer(haze[rows], haze)
        for row, at in enumerate(looking[rows].tolist()):
            table[row, [place[at], *(place[other] for other in groups.apart[at] if other in place)]] = -np.inf
        best = table.argmax(axis=1)
        nearest[rows], alike[rows] = looking[best], table[np.arange(len(best)), best]
    return nearest, alike


def _pairs(looking: NDArray[np.int64], nearest: NDArray[np.int64], alike: Floats) -> list[tuple[int, int]]:
    """Return the pairs that are each other's nearest; the most alike pair if rounding leaves none."""
    to = dict(zip(looking.tolist(), nearest.tolist(), strict=True))
    pairs = [(one, other) for one, other in to.items() if one < other and to.get(other) == one]
    if not pairs and len(looking):
        best = int(alike.argmax())
        pairs = [(int(looking[best]), int(nearest[best]))]
    return pairs


def _join(groups: _Groups, one: int, other: int) -> None:
    sizes = groups.sizes
    shares = sizes[[one, other]] / (sizes[one] + sizes[other])
    groups.sums[one] += groups.sums[other]
    for mean in (groups.crowding, groups.haze):
        mean[one] = shares @ mean[[one, other]]
    sizes[one] += sizes[other]
    groups.members[one] += groups.members[other]
    for third in groups.apart[other]:
        groups.apart[third].discard(other)
        groups.apart[third].add(one)
    groups.apart[one] |= groups.apart[other]
