"""Whether an approximate index would pay: ``python -m tests.bench.gallery_index --faces FACES.zip --people 100000 300000``.

An HNSW index of usearch (``pip install usearch``; no part of facestream uses it) beside the exact search that decides
(``engine.verify.gallery.nearest``), on one core, over the same people and the same faces, in turns. The index holds of each
picture what the resemblance is a product of: the vector and how crowded it is. Half of the faces are of enrolled people, as
cameras see them, the others of strangers. Right is an answer that puts first whom the exact search puts first, or that has them
among the ``--again`` that are then compared in full. Beside it what the index costs: building, an enrolment, a removal, memory.

People are drawn as in ``tests.bench.gallery``; times are of the processor.
"""

# ruff: noqa: E402  the libraries ask how many threads they may have when they are loaded
from __future__ import annotations

import argparse
import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.contracts.frames import Float32
from engine.verify.gallery.nearest import nearest
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.open_set import OpenSet
from tests.bench.gallery import CONSOLE, Drawn, made_up, opened, vectors_of, words

_CANDIDATES = 5
_SEEN = 0.03
"""Standard deviation of each value between a picture and a face of the same person, of vectors of length 1."""
_CHANGES = 200


def looked_for(vectors: Float32, strangers: Float32, seed: int = 7) -> Float32:
    """Return faces: of some of the people, as cameras see them, then of strangers."""
    random = np.random.default_rng(seed)
    own = vectors[random.choice(len(vectors), len(strangers), replace=False)]
    own = own + random.normal(0, _SEEN, own.shape).astype(np.float32)
    return np.concatenate([own / np.linalg.norm(own, axis=1, keepdims=True), strangers])


def augmented(vectors: Float32, crowding: Float32) -> Float32:
    """Return rows (N, length + 1) whose products with a face rank pictures as half of their resemblance does."""
    return np.column_stack((vectors, -crowding / 2)).astype(np.float32)


class Scanned:
    """All pictures in fewer bits, each looked at.

    Args:
        rows: see ``augmented``.
        dtype: ``f16`` or ``i8``.
    """

    def __init__(self, rows: Float32, dtype: str) -> None:
        self._dtype = dtype
        self._rows = self._as(rows)
        self.megabytes = self._rows.nbytes / 2**20

    def _as(self, values: Float32) -> np.ndarray:
        return values.astype(np.float16) if self._dtype == "f16" else np.round(values * 127).astype(np.int8)

    def search(self, face: Float32, count: int, _: int) -> Float32:
        """Return the rows of the first ones."""
        from usearch.index import MetricKind, search

        asked = self._as(np.append(face, np.float32(1)))
        return np.asarray(search(self._rows, asked, count, MetricKind.IP, exact=True, threads=1).keys)


class Indexed:
    """An index of some people.

    Args:
        rows: see ``augmented``.
        dtype: of usearch: ``f32``, ``f16`` or ``i8``.
    """

    def __init__(self, rows: Float32, dtype: str) -> None:
        from usearch.index import Index

        self._index = Index(ndim=rows.shape[1], metric="ip", dtype=dtype, connectivity=16, expansion_add=128)
        self._index.add(np.arange(len(rows)), rows, threads=1)
        self.megabytes = self._index.memory_usage / 2**20

    def search(self, face: Float32, count: int, expansion: int) -> Float32:
        """Return the rows of the first ones."""
        self._index.expansion_search = expansion
        return np.asarray(self._index.search(np.append(face, np.float32(1)), count, threads=1).keys)

    def enrol(self, key: int, row: Float32) -> None:
        """Add one."""
        self._index.add(key, row, threads=1)

    def remove(self, key: int) -> None:
        """Take one out."""
        self._index.remove(key)


def measure(people: int, vectors: Float32, faces: Float32, measured: OpenSet, options: argparse.Namespace) -> None:
    """Print the figures of so many people."""
    snapshot = Snapshot.of([f"person {row:07d}" for row in range(people)], vectors)
    nearest(snapshot, measured, faces[0], _CANDIDATES)  # what is computed once
    exact: list[int] = []
    taken = [timed(lambda: exact.append(nearest(snapshot, measured, face, _CANDIDATES)[0][0])) for face in faces]  # noqa: B023
    CONSOLE.print(f"{people:,} people, exact: {words(taken)}")
    rows = augmented(vectors, measured.crowding(vectors))
    for dtype in ("f16", "i8"):
        scanned = Scanned(rows, dtype)
        CONSOLE.print(f"  all in {dtype}, {scanned.megabytes:.0f} MB: {answers(scanned, faces, exact, 0, options.again)}")
    for dtype in options.dtypes:
        made: list[Indexed] = []
        built = timed(lambda: made.append(Indexed(rows, dtype)))  # noqa: B023  called at once
        [index] = made
        CONSOLE.print(f"  usearch {dtype}: built in {built:.0f} s, {index.megabytes:.0f} MB")
        for expansion in options.expansions:
            CONSOLE.print(f"    expansion {expansion}: {answers(index, faces, exact, expansion, options.again)}")
        added = [timed(lambda: index.enrol(people + n, rows[n])) for n in range(_CHANGES)]  # noqa: B023
        gone = [timed(lambda: index.remove(people + n)) for n in range(_CHANGES)]  # noqa: B023
        CONSOLE.print(f"    an enrolment {words(added)}; a removal {words(gone)}")


def timed(does: Callable[[], object]) -> float:
    """Return the seconds of processor time that something takes, whichever threads it uses."""
    begun = time.process_time()
    does()
    return time.process_time() - begun


def answers(index: Scanned | Indexed, faces: Float32, exact: list[int], expansion: int, again: int) -> str:
    """Return in words how long an index takes, and how often it is right: of enrolled people, and of strangers."""
    found: list[Float32] = []
    taken = [timed(lambda: found.append(index.search(face, again, expansion))) for face in faces]  # noqa: B023  called at once
    first = np.array([answer[0] == right for answer, right in zip(found, exact, strict=True)])
    among = np.array([right in answer for answer, right in zip(found, exact, strict=True)])
    half = len(faces) // 2
    shares = [f"{part[:half].mean():.3f}, {part[half:].mean():.3f}" for part in (first, among)]
    return f"{words(taken)}; the same first: {shares[0]}; among {again}: {shares[1]}"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[100_000, 300_000])
    parser.add_argument("--compared", type=int, default=400, help="faces")
    parser.add_argument("--dtypes", nargs="*", default=["f32", "f16", "i8"], help="of the index; none: there is none")
    parser.add_argument("--expansions", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--again", type=int, default=100, help="how many of the index's answers are compared in full")
    parser.add_argument("--faces", type=Path, help="a zip or a folder of pictures of real people")
    options = parser.parse_args()
    embedder, measured, crowd = opened()
    draw = Drawn(vectors_of(options.faces, embedder)) if options.faces else None
    for people in options.people:
        vectors = draw(people, 1) if draw else made_up(people, 1, crowd)
        strangers = draw(options.compared // 2, 2) if draw else made_up(options.compared // 2, 2, crowd)
        measure(people, vectors, looked_for(vectors, strangers), measured, options)
    embedder.close()


if __name__ == "__main__":
    main()
