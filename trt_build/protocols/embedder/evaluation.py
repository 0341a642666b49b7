"""Measures how well embedders verify faces of every size: dlib's, those trained here, and mixtures of both.

Everything that a mixture needs (weights, means and deviations) comes from faces of people who are not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.models.dlib_embedder import CHIP_POINTS
from engine.models.dlib_resnet import INPUT
from engine.sessions.session import Session
from trt_build.data import degradation
from trt_build.data.chips import ChipFaces, as_input
from trt_build.data.face_sets import Enlarge
from trt_build.measures.bootstrap import Interval
from trt_build.measures.comparison import FMRS, Comparison, DistancesOf
from trt_build.measures.verification import Pairing, SortedTrial, cosine_distances, unit

SHARP = 0
SIZES_PX = (SHARP, 12, 16, 24, 32)
"""Sides of the whole picture of a face; ``SHARP``: unchanged."""
GALLERIES = ("sharp", "low")
"""Faces with which the small face is compared: sharp ones, or equally small ones."""
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights of the small-face network in a mixture."""
BASE = "dlib"
_CHUNK = 16
Vectors = dict[int, Float32]
"""Vectors by size: (N, 128) of length 1."""
Cell = tuple[str, int]
"""Gallery and size."""
System = Mapping[Cell, DistancesOf]
"""For each cell, the function that gives the distances of pairs."""


@dataclass(frozen=True)
class Row:
    """One system at one size; gains are over ``BASE`` on the same pictures and draws."""

    gallery: str
    size_px: int
    enhanced: bool
    system: str
    accuracy: Interval
    tar: tuple[Interval, ...]
    """TAR for each of ``FMRS``."""
    accuracy_gain: Interval
    tar_gain: tuple[Interval, ...]


def vectors_of(
    session: Session, faces: ChipFaces, enlarge: Enlarge | None, degraded: bool, done: Callable[[int, int], None]
) -> Vectors:
    """Embed all faces at all sizes.

    Args:
        session: of a graph of ``build_dlib_resnet``.
        faces: N of them.
        enlarge: applied to the small pictures first.
        degraded: small pictures go through a simulated camera; otherwise they are only shrunk.
        done: called with the number of embedded pictures and the total.
    """
    every = {}
    for number, size in enumerate(SIZES_PX):
        parts = []
        for at in range(0, len(faces), _CHUNK):
            chips = [_chip(faces, index, size, enlarge, degraded) for index in range(at, min(at + _CHUNK, len(faces)))]
            parts.append(session.run({INPUT: as_input(np.stack(chips))})[0])
            done(number * len(faces) + at + len(chips), len(SIZES_PX) * len(faces))
        every[size] = unit(np.concatenate(parts))
    return every


def _chip(faces: ChipFaces, index: int, size: int, enlarge: Enlarge | None, degraded: bool) -> Uint8:
    if size == SHARP:
        return faces.sharp_chip(index)
    image = faces.images[index]
    if degraded:
        small = degradation.first_order(image, size, np.random.default_rng((size, index)))
    else:
        small = degradation.clean(image, size)
    return faces.chip_of(small if enlarge is None else enlarge(small[None])[0], index)


def eyes_px(faces: ChipFaces, size: int) -> float:
    """Return the median distance of the eyes in pictures of this size."""
    side = size or faces.images.shape[1]
    scale = np.hypot(faces.matrices[:, 0, 0], faces.matrices[:, 1, 0])
    apart = float(np.linalg.norm(np.array(CHIP_POINTS[0]) - CHIP_POINTS[1]))
    return float(np.median(scale) * apart * side / faces.images.shape[1])


def mixed(base: Vectors, small: Vectors, weights: Mapping[int, float]) -> Vectors:
    """Return mixtures of two networks' vectors; ``weights`` of the second network by size, 0 if missing."""
    return {size: unit((1 - (w := weights.get(size, 0.0))) * base[size] + w * small[size]) for size in base}


def choose_weights(base: Vectors, small: Vectors, pairs: Pairing) -> dict[int, float]:
    """Return for each size the weight of the mixture with the best TAR, over both galleries and all of ``FMRS``.

    Sharp faces are never mixed, so that a gallery does not depend on the weights.
    """
    chosen = {}
    everyone = np.ones(len(pairs.same))
    for size in SIZES_PX[1:]:
        merits = {}
        for weight in WEIGHTS:
            vectors = mixed(base, small, {size: weight})
            figures = [
                tar
                for gallery in GALLERIES
                for tar in SortedTrial(distances(vectors, pairs, (gallery, size)), pairs.same).tars(FMRS, everyone)
            ]
            merits[weight] = float(np.mean(figures))
        chosen[size] = max(merits, key=lambda weight: merits[weight])
    return chosen


def distances(vectors: Vectors, pairs: Pairing, cell: Cell) -> NDArray[np.float64]:
    """Return 1 - cosine of each pair; the left face is sharp or as small as the right one."""
    gallery, size = cell
    return cosine_distances(vectors[SHARP if gallery == "sharp" else size], vectors[size], pairs)


def score_sums(one: Vectors, other: Vectors, reference: tuple[Vectors, Vectors, Pairing]) -> System:
    """Return the sum of both systems' distances, each standardised by its mean and deviation among strangers in
    ``reference``.
    """

    def summed(cell: Cell) -> DistancesOf:
        known_one, known_other, known = reference
        spreads = []
        for vectors in (known_one, known_other):
            impostors = distances(vectors, known, cell)[~known.same]
            spreads.append((float(impostors.mean()), float(impostors.std())))

        def of(pairs: Pairing) -> NDArray[np.float64]:
            scaled = [
                (distances(vectors, pairs, cell) - mean) / spread
                for vectors, (mean, spread) in zip((one, other), spreads, strict=True)
            ]
            return np.asarray(sum(scaled), np.float64)

        return of

    return {(gallery, size): summed((gallery, size)) for gallery in GALLERIES for size in SIZES_PX}


def rows_of(comparison: Comparison, enhanced: bool, systems: Mapping[str, System]) -> list[Row]:
    """Return the rows of all systems, including ``BASE``."""
    rows = []
    for gallery in GALLERIES:
        for size in SIZES_PX:
            if size == SHARP and (gallery == "low" or enhanced):
                continue  # equals sharp against sharp
            found = comparison.compare({name: system[gallery, size] for name, system in systems.items()}, BASE)
            for name, one in found.items():
                assert one.accuracy is not None
                assert one.accuracy_gain is not None
                rows.append(Row(gallery, size, enhanced, name, one.accuracy, one.tar, one.accuracy_gain, one.tar_gain))
    return rows


def plain(vectors: Vectors) -> System:
    """Return the distances of one system, by cell."""

    def of(cell: Cell) -> DistancesOf:
        return lambda pairs: distances(vectors, pairs, cell)

    return {(gallery, size): of((gallery, size)) for gallery in GALLERIES for size in SIZES_PX}
