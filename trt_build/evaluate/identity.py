"""Identity protocol: does enhancement help a face recogniser? Measured, whatever the answer.

Faces of a pair table, of people in no training, are shrunk by area to 16, 24 and 32 px. dlib's
ResNet compares them *sharp against low* (a good gallery picture, a small probe) and *low against
low*. Rows: `original` (OpenCV bicubic to the embedder's chip), `enhanced` (the generator, then
the same chip) and `fused` (the mean of the two distances). Bootstrap over identities.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trt_build.errors import DataError
from trt_build.evaluate.bootstrap import ROUNDS, Interval, Weights, interval, pair_weights
from trt_build.evaluate.dlib_faces import ChipFinder, Embedder, Embedding, Matrix, cut_chip
from trt_build.evaluate.face_sets import Enlarge
from trt_build.evaluate.metrics import Luma8
from trt_build.evaluate.verification import Distances, SortedTrial, Trial, accuracy, seeded_folds
from trt_build.train import degradation
from trt_build.train.faces import Faces, to_size

SHARP_PX = 128
SIZES_PX = (16, 24, 32)
FMR = 0.01

Done = Callable[[int], None]


@dataclass(frozen=True)
class Pairs:
    """Index of both faces of each pair, whether they are one person, and who they are."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    same: NDArray[np.bool_]
    people_left: tuple[str, ...]
    people_right: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One line of the result: `size_px` 0 is the sharp face against the sharp face."""

    gallery: str
    size_px: int
    picture: str
    accuracy: Interval
    tar: Interval


def read_pairs(path: Path, faces: Faces) -> Pairs:
    """Read `image_a,image_b,same`; every picture must be among `faces`."""
    if not path.is_file():
        raise DataError(f"The pair table '{path}' does not exist.")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    index = {name: i for i, name in enumerate(faces.names)}
    try:
        left = np.array([index[row["image_a"]] for row in rows], dtype=np.int64)
        right = np.array([index[row["image_b"]] for row in rows], dtype=np.int64)
        same = np.array([int(row["same"]) == 1 for row in rows])
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"The pair table '{path}' does not fit the faces: {error}.") from None
    if not same.any() or same.all():
        raise DataError(f"The pair table '{path}' needs pairs of one person and of two.")
    people = faces.identities()
    return Pairs(left, right, same, tuple(people[i] for i in left), tuple(people[i] for i in right))


class Gallery:
    """The faces of the pairs with their chips; embeds any version of them."""

    def __init__(self, faces: Faces, pairs: Pairs, embedder: Embedder, done: Done) -> None:
        self._used = np.unique(np.concatenate([pairs.left, pairs.right]))
        self.sharp = to_size(np.asarray(faces.images[self._used]), SHARP_PX)
        finder = ChipFinder()
        self._matrices: list[Matrix] = [finder.matrix(face) for face in self.sharp]
        self._embedder = embedder
        self._done = done
        self._left = np.searchsorted(self._used, pairs.left)
        self._right = np.searchsorted(self._used, pairs.right)

    def low(self, size_px: int) -> Luma8:
        """All faces shrunk by area to `size_px`."""
        return np.stack([degradation.clean(face, size_px) for face in self.sharp])

    def embed(self, faces: Luma8) -> Embedding:
        """(F, s, s) in the order of `sharp` -> (F, 128)."""
        placed = zip(faces, self._matrices, strict=True)
        chips = np.stack([cut_chip(face, matrix, SHARP_PX) for face, matrix in placed])
        return self._embedder(chips, lambda: self._done(1))

    def distances(self, left: Embedding, right: Embedding) -> Distances:
        """Euclidean distance of each pair: `image_a` of `left` against `image_b` of `right`."""
        apart = left[self._left] - right[self._right]
        return np.asarray(np.linalg.norm(apart, axis=1), dtype=np.float64)


def embeddings(gallery: Gallery, enlarge: Enlarge | None) -> Mapping[tuple[int, str], Embedding]:
    """Embeddings by (size, picture): (0, 'sharp'), (s, 'original'), (s, 'enhanced')."""
    vectors = {(0, "sharp"): gallery.embed(gallery.sharp)}
    for size in SIZES_PX:
        low = gallery.low(size)
        vectors[size, "original"] = gallery.embed(low)
        if enlarge is not None:
            vectors[size, "enhanced"] = gallery.embed(enlarge(low))
    return vectors


def compare(gallery: Gallery, pairs: Pairs, vectors: Mapping[tuple[int, str], Embedding], seed: int) -> list[Row]:
    """All rows of the protocol, with intervals from one shared set of bootstrap draws."""
    weights = pair_weights(pairs.people_left, pairs.people_right, ROUNDS, seed)
    folds = seeded_folds(pairs.same, seed)

    def row(side: str, size: int, picture: str, distances: Distances) -> Row:
        trial = Trial(distances, pairs.same, folds)
        return Row(side, size, picture, *_figures(trial, weights))

    sharp = vectors[0, "sharp"]
    rows = [row("sharp", 0, "sharp", gallery.distances(sharp, sharp))]
    for side in ("sharp", "low"):
        for size in SIZES_PX:
            both = {}
            for picture in ("original", "enhanced"):
                probe = vectors[size, picture]
                other = sharp if side == "sharp" else probe
                both[picture] = gallery.distances(other, probe)
            both["fused"] = (both["original"] + both["enhanced"]) / 2
            rows += [row(side, size, picture, d) for picture, d in both.items()]
    return rows


def _figures(trial: Trial, weights: list[Weights]) -> tuple[Interval, Interval]:
    count = len(trial.same)
    exact = interval(lambda w: accuracy(trial, w), weights, count)
    ordered = SortedTrial(trial.distances, trial.same)
    tar = interval(lambda w: ordered.tar_at_fmr(FMR, w), weights, count)
    return exact, tar
