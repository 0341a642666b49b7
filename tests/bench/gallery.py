"""How long a face takes to be compared with many people: ``python -m tests.bench.gallery --people 100000``, on one core.

Through the real path: a gallery's file, the snapshot that a run takes of it, and the rule that decides. A face is compared
twice: alone, and as part of its track. The vectors are made up around the crowd's members, so that they are as crowded as those
of faces. Times are of the processor, not of the wall: other work on the machine hardly counts.
"""

# ruff: noqa: E402  the libraries ask how many threads they may have when they are loaded
from __future__ import annotations

import argparse
import os

for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32
from engine.models import find_model
from engine.verify.embedder import open_embedder
from engine.verify.evidence import Fusion
from engine.verify.gallery import Gallery
from engine.verify.open_set import open_set_of
from engine.verify.rules import rule_of

CONSOLE = Console(width=160)


def made_up(count: int, seed: int, crowd: Float32) -> Float32:
    """Return vectors (count, length) of length 1."""
    random = np.random.default_rng(seed)
    vectors = crowd[random.integers(0, len(crowd), count)] + 0.06 * random.normal(size=(count, crowd.shape[1]))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def fill(gallery: Gallery, vectors: Float32, sha256: str, pictures: int) -> None:
    """Enrol all at once; one by one it is as quick as the disk."""
    rows = [
        (f"person {row // pictures:06d}", "dlib", sha256, vector.tobytes(), "", f"{row:064d}", 0.5, "2026-01-01", "made up", "")
        for row, vector in enumerate(vectors)
    ]
    from engine.verify.gallery_pictures import COLUMNS

    file = gallery.tables
    with file.writing():
        file.insert_many("pictures", COLUMNS, rows)
        file.execute("UPDATE state SET version = version + 1")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--pictures", type=int, default=1, help="of each person")
    parser.add_argument("--faces", type=int, default=500)
    options = parser.parse_args()
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    measured = open_set_of(embedder.sha256)
    assert measured is not None
    crowd = measured.crowd / np.linalg.norm(measured.crowd, axis=1, keepdims=True)
    for people in options.people:
        with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "people.sqlite") as gallery:
            fill(gallery, made_up(people * options.pictures, 1, crowd), embedder.sha256, options.pictures)
            begun = time.thread_time()
            snapshot = gallery.snapshot(embedder.sha256)
            read = time.thread_time() - begun
            rule = rule_of(embedder, VerifyConfig())
            faces = made_up(options.faces, 2, crowd)
            fusion = Fusion(faces[0], None, faces=2, moments=2, large_faces=2, size_px=48.0, quality=0.5, persons=1)
            begun = time.thread_time()
            rule.compare(faces[0], None, fusion, snapshot, 5, 2)
            first = time.thread_time() - begun
            taken = []
            for face in faces:
                begun = time.thread_time()
                snapshot.denied(face)
                rule.compare(face, face, fusion, snapshot, 5, 2)
                snapshot.denied(-face)
                rule.compare(-face, None, fusion, snapshot, 5, 2)
                taken.append(time.thread_time() - begun)
            least, half, most = (np.quantile(taken, share) * 1000 for share in (0.0, 0.5, 0.99))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            CONSOLE.print(
                f"{people:,} people, {options.pictures} pictures each: least {least:.2f}, p50 {half:.2f}, p99 {most:.2f} ms a "
                f"face; read anew in {read:.2f} s, the first comparison {first:.2f} s; {memory:.0f} MB in all"
            )
    embedder.close()


if __name__ == "__main__":
    main()
