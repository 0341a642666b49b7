"""How long a face takes to be compared with many people: ``python -m tests.bench.gallery --faces FACES.zip --people 1000000``.

Through the real path, on one core: a gallery's file, the snapshot that a run takes of it, and the rule that decides. A face is
compared twice: alone, and as part of its track. In turns with that, two plain products of all vectors and a face are timed:
what it costs at least to look at everything. Whom the rule puts first is compared with whom such a product puts first. Then
people are enrolled one by one, and it is timed what a run that follows the file does for each. Times are of the processor, not
of the wall: other work on the machine hardly counts.

The people are drawn from a normal distribution with the mean and the covariance of the vectors of real ones, one picture each
of ``--faces``, a zip or a folder of ``PERSON/PICTURE.jpg``; what is printed of both shows how like they are. Without it they
are made up around the crowd's members, and lie further apart than faces.
"""

# ruff: noqa: E402  the libraries ask how many threads they may have when they are loaded
from __future__ import annotations

import argparse
import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32
from engine.models import find_model
from engine.models.dlib_embedder import NAME
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.evidence import Fusion
from engine.verify.gallery.pictures import COLUMNS
from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.open_set import OpenSet, open_set_of
from engine.verify.rules import rule_of

CONSOLE = Console(width=160)
_PART = 20_000
_CHANGES = 20
_MOST_REAL = 1000


def made_up(count: int, seed: int, crowd: Float32) -> Float32:
    """Return vectors (count, length) of length 1."""
    random = np.random.default_rng(seed)
    vectors = crowd[random.integers(0, len(crowd), count)] + 0.06 * random.normal(size=(count, crowd.shape[1]))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class Drawn:
    """Draws people like real ones.

    Args:
        real: (N, length), of different people.
    """

    def __init__(self, real: Float32) -> None:
        self._mean = real.mean(axis=0)
        _, sizes, self._directions = np.linalg.svd(real - self._mean, full_matrices=False)
        self._sizes = sizes / np.sqrt(len(real))

    def __call__(self, count: int, seed: int) -> Float32:
        """Return vectors (count, length) of length 1."""
        steps = np.random.default_rng(seed).standard_normal((count, len(self._sizes)), np.float32)
        vectors = self._mean + (steps * self._sizes.astype(np.float32)) @ self._directions
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def vectors_of(faces: Path, embedder: Embedder) -> Float32:
    """Return one vector of each of some people."""
    import cv2

    from trt_build.data.faces import encoded

    found, seen = list[Float32](), set[str]()
    for name, content in encoded(faces):
        person = name.split("/")[0]
        if person not in seen and len(seen) < _MOST_REAL:
            seen.add(person)
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            found.append(embedder.embed([np.asarray(picture, np.uint8)], [None])[0])
    return np.stack(found)


def told(vectors: Float32, measured: OpenSet) -> str:
    """Return in words how like each other people are, and how crowded."""
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    alike = ", ".join(f"{value:.3f}" for value in np.quantile(cosines, (0.01, 0.5, 0.99, 0.9999)))
    crowded = ", ".join(f"{value:.3f}" for value in np.quantile(measured.crowding(vectors), (0.01, 0.5, 0.99)))
    return f"cosines of two (1, 50, 99, 99.99 %) {alike}; crowding (1, 50, 99 %) {crowded}"


def fill(gallery: Gallery, draw: Callable[[int, int], Float32], people: int, sha256: str, pictures: int) -> None:
    """Enrol all at once; one by one it is as quick as the disk."""

    def rows() -> Iterator[tuple[object, ...]]:
        for first in range(0, people * pictures, _PART):
            for row, vector in enumerate(draw(min(_PART, people * pictures - first), first), first):
                name, picture = f"person {row // pictures:07d}", f"{row:064d}"
                yield name, NAME, sha256, vector.tobytes(), "", picture, 0.5, "2026-01-01", "made up", ""

    with gallery.tables.writing():
        gallery.tables.insert_many("pictures", COLUMNS, rows())
        gallery.tables.execute("UPDATE state SET version = version + 1")


def resident_mb() -> float:
    """Return how much memory this process has."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Comparing:
    """Compares faces as a run does.

    Args:
        embedder: whose vectors.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._rule = rule_of(embedder, VerifyConfig())

    def __call__(self, face: Float32, people: Snapshot, enhanced: Float32 | None = None) -> str:
        """Return who is first, after one comparison."""
        fusion = Fusion(face, enhanced, faces=2, moments=2, large_faces=2, size_px=48.0, quality=0.5, persons=1)
        people.denied(face)
        return self._rule.compare(fusion, people, 5, 2)[0][0].identity


def timed(does: Callable[[], object]) -> float:
    """Return the seconds of processor time that something takes."""
    begun = time.thread_time()
    does()
    return time.thread_time() - begun


def words(seconds: list[float]) -> str:
    """Return how long something took."""
    half, most = np.quantile(seconds, (0.5, 0.99)) * 1000
    return f"p50 {half:.1f}, p99 {most:.1f} ms"


def in_turns(compare: Comparing, people: Snapshot, faces: Float32, measured: OpenSet) -> str:
    """Return in words how long faces take, and how long plain products do."""
    matrix, crowding = np.asfortranarray(people.matrix), people.crowding(measured.crowd)
    taken, plain, right = list[float](), list[float](), 0
    for face, track in zip(faces, np.roll(faces, 1, axis=0), strict=True):
        taken.append(timed(lambda: (compare(face, people, face), compare(track, people))))  # noqa: B023  called at once
        plain.append(timed(lambda: (matrix @ face, matrix @ track)))  # noqa: B023
        first = int(np.argmax(2 * (matrix @ face).astype(np.float64) - crowding))
        right += compare(face, people) == people.names[first]
    ratio = np.median(np.divide(taken, plain))
    return f"{words(taken)} a face; plain products {words(plain)}, ratio {ratio:.2f}; {right} of {len(faces)} the same first"


def changes(gallery: Gallery, reading: GalleryReading, compare: Comparing, vectors: Float32, sha256: str) -> str:
    """Return in words what it takes to follow enrolments."""
    read, first = list[float](), list[float]()
    for number, vector in enumerate(vectors):
        gallery.add(
            f"new {number}", vector, embedder=NAME, embedder_sha256=sha256, runtime="made up", source_name="",
            picture_sha256=f"new {number}", quality=0.5,
        )  # fmt: skip
        read.append(timed(lambda: reading.read(gallery.tables)))
        people = reading.read(gallery.tables)
        first.append(timed(lambda: compare(vector, people)))  # noqa: B023  called at once
        assert compare(vector, people) == f"new {number}"
    return f"an enrolment is read in {words(read)}, the first comparison after it {words(first)}"


def opened() -> tuple[Embedder, OpenSet, Float32]:
    """Return the default embedder, what is known of strangers by it, and their vectors, (people, length) of length 1."""
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    measured = open_set_of(embedder.sha256)
    assert measured is not None
    return embedder, measured, measured.crowd / np.linalg.norm(measured.crowd, axis=1, keepdims=True)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--pictures", type=int, default=1, help="of each person")
    parser.add_argument("--compared", type=int, default=500, help="faces")
    parser.add_argument("--faces", type=Path, help="a zip or a folder of pictures of real people")
    options = parser.parse_args()
    embedder, measured, crowd = opened()

    def draw(count: int, seed: int) -> Float32:
        return made_up(count, seed, crowd)

    if options.faces:
        real = vectors_of(options.faces, embedder)
        draw = Drawn(real)
        CONSOLE.print(f"{len(real)} real people: {told(real, measured)}")
        CONSOLE.print(f"as many that are drawn: {told(draw(len(real), 1), measured)}")
    compare = Comparing(embedder)
    for people in options.people:
        with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "people.sqlite") as gallery:
            fill(gallery, draw, people, embedder.sha256, options.pictures)
            before, reading = resident_mb(), GalleryReading(embedder.sha256)
            read = timed(lambda: reading.read(gallery.tables))  # noqa: B023  called at once
            snapshot, faces = reading.read(gallery.tables), draw(options.compared, 10**9)
            first = timed(lambda: compare(faces[0], snapshot))  # noqa: B023
            memory = resident_mb() - before
            CONSOLE.print(
                f"{people:,} people, {options.pictures} pictures each, load {os.getloadavg()[0]:.0f}: read anew in {read:.2f} "
                f"s, the first comparison {first:.2f} s; {memory:.0f} MB"
            )
            CONSOLE.print(f"  {in_turns(compare, snapshot, faces, measured)}")
            CONSOLE.print(f"  {changes(gallery, reading, compare, draw(_CHANGES, 2 * 10**9), embedder.sha256)}")
    embedder.close()


if __name__ == "__main__":
    main()
