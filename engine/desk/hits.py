"""Searches results for a new face: one hit for each track, best first."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.desk.likeness import Likeness, Worth, haze_of
from engine.desk.stored import Result, StoredFace, StoredTrack, collector_rests

_AT_ONCE = 256
"""Number of vectors that are compared exactly at a time."""
_Row = tuple[int, StoredTrack, StoredFace | None, float, int, int]
_NOT_WEIGHED, _OF_EQUALS = -100.0, 1e-3
"""Rank of a hit without a calibrated likelihood ratio; and the weight of the resemblance, which breaks ties."""


@dataclass(frozen=True, eq=False)
class Hit:
    """One track that may show the person."""

    track: StoredTrack
    face: StoredFace | None
    """The single face that it rests on; None: the track's fused faces."""
    cosine: float
    resemblance: float
    """How alike the two are, beyond what both share with many other people (see ``open_set``) and with all faces that have lost
    detail.
    """
    worth: Worth | None
    """What the likeness is worth as evidence; None: not calibrated for such faces."""
    by_chance: float | None
    """Expected number of strangers, among as many as there are tracks, who look this much like the photograph (an upper bound);
    None: not measured.
    """


@dataclass(frozen=True, eq=False)
class _Rows:
    """The vectors of one result, one in each row."""

    result: Result
    vectors: NDArray[np.float32]
    tracks: list[StoredTrack]
    faces: list[StoredFace | None]
    """The face of each row; None: the track as a whole."""
    sizes_px: NDArray[np.float64]
    moments: NDArray[np.int64]
    allowance: NDArray[np.float32]
    """How much each row looks like the photograph only because both have lost detail."""
    tries: NDArray[np.int64]
    """Number of faces that each row is the best of; a chance hit is as many times as likely."""


@dataclass(frozen=True, eq=False)
class Found:
    """The result of a search."""

    hits: list[Hit]
    """Best first."""
    faces: int
    """Number of single faces that were compared."""
    tracks: int
    """Number of tracks that they belong to."""


def search(
    vector: NDArray[np.float32],
    size_px: float,
    results: Sequence[Result],
    likeness: Likeness,
    limit: int,
    itself: StoredTrack | None = None,
) -> Found:
    """Compare a face with every face and every track of some results; the hits are the same as if each were compared alone.

    Args:
        vector: (d,) of length 1.
        size_px: size of the face: the smaller of two faces decides what their likeness is worth.
        results: with vectors of the same embedder.
        likeness: of this embedder.
        limit: the most tracks to return.
        itself: the track whose vector it is, which is left out; None: it is a photograph's.

    Raises:
        PublishError: vectors cannot be read.
    """
    with collector_rests():
        all_rows = [rows for result in results if (rows := _rows_of(result, len(vector), size_px, itself)) is not None]
    tracks = sum(len({id(track) for track in rows.tracks}) for rows in all_rows)
    hits = [hit for rows in all_rows for hit in _best(vector, rows, likeness, limit, tracks)]
    hits.sort(key=_rank, reverse=True)
    faces = sum(face is not None for rows in all_rows for face in rows.faces)
    return Found(hits[:limit], faces, tracks)


def _rows_of(result: Result, length: int, size_px: float, itself: StoredTrack | None) -> _Rows | None:
    """Gather what can be compared; None if there is nothing."""
    files: dict[str, list[_Row]] = {}
    most_moments = max(itself.moments, 1) if itself is not None else sys.maxsize
    for track in result.tracks:
        if itself is not None and track.is_same_as(itself):
            continue
        if track.line is not None and (place := track.line.embedding) is not None:
            files.setdefault(place.file, []).append((place.row, track, None, track.size_px, track.moments, 1))
        tries = len(track.faces)
        for face in track.faces:
            if (place := face.embedding) is not None:
                files.setdefault(place.file, []).append((place.row, track, face, face.quality.size_px, 1, tries))
    for name, found in files.items():
        stored = result.run.rows(name)
        if stored.shape[1] != length:
            continue
        places, tracks, faces, sizes, moments, tries_of = zip(*found, strict=True)
        vectors = stored[np.array(places, np.int64)]
        there = vectors.any(axis=1)  # a vector of zeros has expired
        sizes_px, haze = np.array(sizes)[there], haze_of(np.array([size_px]))
        at_moments = np.minimum(np.array(moments)[there], most_moments)
        return _Rows(
            result, vectors[there], [tracks[at] for at in np.flatnonzero(there)], [faces[at] for at in np.flatnonzero(there)],
            np.minimum(sizes_px, size_px), at_moments, haze_of(sizes_px) * haze, np.array(tries_of)[there],
        )  # fmt: skip
    return None


def _best(vector: NDArray[np.float32], rows: _Rows, likeness: Likeness, limit: int, compared: int) -> list[Hit]:
    """Return the best hits of one result. Rows are compared in descending order of their upper bounds, until no remaining row
    can be among the best.
    """
    everything = np.arange(len(rows.tracks))
    most = _values(likeness, likeness.most_resemblance(vector, rows.vectors) - rows.allowance, rows, everything)
    order = np.argsort(-most, kind="stable")
    best: dict[int, tuple[float, float, int]] = {}
    for first in range(0, len(order), _AT_ONCE):
        some = order[first : first + _AT_ONCE]
        if len(best) >= limit and most[some[0]] <= sorted((one[0] for one in best.values()), reverse=True)[limit - 1]:
            break
        resemblances = likeness.resemblance(vector, rows.vectors[some]) - rows.allowance[some]
        for at, value, resemblance in zip(
            some.tolist(), _values(likeness, resemblances, rows, some), resemblances, strict=True
        ):
            key = id(rows.tracks[at])
            if key not in best or value > best[key][0]:
                best[key] = float(value), float(resemblance), at
    top = sorted(best.values(), reverse=True)[:limit]
    return [_hit(vector, rows, likeness, at, resemblance, compared) for _, resemblance, at in top]


def _values(likeness: Likeness, resemblances: NDArray[np.float32], rows: _Rows, some: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what rows are ranked by: the likelihood ratio, then the resemblance; uncalibrated rows come last."""
    ratios = likeness.log10_ratios(resemblances, rows.sizes_px[some], rows.moments[some], rows.tries[some])
    return np.asarray(np.where(np.isnan(ratios), _NOT_WEIGHED, ratios) + _OF_EQUALS * resemblances, np.float64)


def _hit(vector: NDArray[np.float32], rows: _Rows, likeness: Likeness, at: int, resemblance: float, compared: int) -> Hit:
    size, moments, tries = float(rows.sizes_px[at]), int(rows.moments[at]), int(rows.tries[at])
    return Hit(
        rows.tracks[at],
        rows.faces[at],
        float(np.clip(rows.vectors[at] @ vector, -1, 1)),
        resemblance,
        likeness.worth(resemblance, size, moments, tries),
        likeness.by_chance(resemblance, size, compared),
    )


def _rank(hit: Hit) -> float:
    return (hit.worth.log10_lr if hit.worth else _NOT_WEIGHED) + _OF_EQUALS * hit.resemblance
