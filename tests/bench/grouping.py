"""Whom ``facestream people`` takes for one: ``python -m tests.bench.grouping --folder runs/grouping``.

200 people of no training walk past five cameras, each of which sees everybody once for two seconds: rendered, encoded, and
run through ``facestream run``, size by size. ``looks 1``: a person looks the same to all cameras but for compression, noise,
blur and light, as on one day. ``looks 5``: each camera sees another photograph of the person as far as there are so many, most
of them years apart. No track is known to be there at the same time as another one, which would make it easier.

Counted are pairs of tracks: of those that are taken for one person the share that is (precision), of those that are one person
the share that is found (recall), and F, their harmonic mean; beside it what the best limits for these very tracks would reach.
``--search N`` also measures a search among N stored faces.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config.verify import VerifyConfig
from engine.desk.grouping import group_tracks
from engine.desk.hits import search
from engine.desk.likeness import Likeness, haze_of
from engine.desk.people import PRIOR, people_of
from engine.desk.stored import read_result
from engine.models import find_model
from engine.verify.embedder import open_embedder
from tests.assets import SHARED
from tests.bench.grouping_clips import record
from tests.bench.grouping_results import write_large_result
from trt_build.cli.progress import RunProgress
from trt_build.data.people.photographs import person_of
from trt_build.data.people.recording import Arrays

CONSOLE = Console()
_LEAST = np.linspace(0.15, 0.0, 61)
"""Resemblance from which two groups are one person: all that are tried."""
_SURE = 0.995
"""Precision that two people are hardly ever taken for one."""


class Grouped(msgspec.Struct, frozen=True):
    """Tracks of one size."""

    size_px: float
    looks: int
    tracks: int
    people: int
    faces_a_track: float
    found: int
    """People that they were taken for."""
    precision: float
    recall: float
    f: float
    recall_other: float
    """Of pairs of tracks that show two photographs of one person."""
    best_f: float
    best_least: float
    """Resemblance at which it is reached."""
    sure_recall: float
    """The largest with a precision of ``_SURE``."""

    def cells(self) -> list[str]:
        """Return a row of the table."""
        figures = (self.precision, self.recall, self.f, self.recall_other, self.sure_recall, self.best_f, self.best_least)
        looks = "one day" if self.looks == 1 else "other days"
        counts = [str(self.tracks), f"{self.faces_a_track:.1f}", str(self.people), str(self.found)]
        return [f"{self.size_px:g} px", looks, *counts, *(f"{one:.3f}" for one in figures)]


def main() -> None:
    """Render, run, group, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, default=SHARED / "data/lfw_gray/val.zip", help="PERSON/PICTURE of no training")
    parser.add_argument("--grounds", type=Path, default=SHARED / "data/detector_negatives.zip", help="pictures without faces")
    parser.add_argument("--folder", type=Path, required=True, help="keeps what was found")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--cameras", type=int, default=5)
    parser.add_argument("--sizes", type=float, nargs="+", default=[24, 32, 48, 64])
    parser.add_argument("--looks", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--search", type=int, default=0, help="also search among so many faces, and group their tracks")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    model = open_embedder(VerifyConfig(), find_model)
    assert model is not None
    model.close()
    likeness, rows = Likeness(model.sha256), []
    with RunProgress(CONSOLE) as progress:
        for size in options.sizes:
            for looks in options.looks:
                given = (options.faces, options.grounds, options.folder, options.people, options.cameras)
                rows.append(measure(record(*given, looks, size, progress.on_prepare), size, looks, likeness))
    table = Table(
        box=None, title=f"pairs of tracks, {options.people} people, {options.cameras} cameras, prior 1/{1 / PRIOR:.0f}"
    )
    for heading in (
        "face",
        "seen",
        "tracks",
        "faces",
        "people",
        "found",
        "precision",
        "recall",
        "F",
        "recall*",
        f"recall at {_SURE}",
        "best F",
        "at",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row.cells())
    CONSOLE.print(table)
    CONSOLE.print(
        "recall*: of pairs that show two photographs of one person; the last three: by the limits that suit these tracks best"
    )
    if options.search:
        measure_search(options.search, model.sha256)
    if options.json:
        options.json.write_text(json.dumps(msgspec.to_builtins(rows), indent=1) + "\n", encoding="utf-8")


def measure(tracks: Arrays, size_px: float, looks: int, likeness: Likeness) -> Grouped:
    """Group the tracks by the default prior, and by all limits."""
    vectors, pictures = tracks["vector"], tracks["picture"]
    people = np.array([person_of(name) for name in pictures.tolist()])
    sums = [np.bincount(tracks["face_track"], weights, len(vectors)) for weights in _weights(tracks)]
    haze, crowding = haze_of(sums[0] / np.maximum(sums[1], 1e-9)), likeness.crowding(vectors)

    def grouped(least: float) -> np.ndarray:
        return group_tracks(vectors, crowding, haze, least)

    tried = [agreement(grouped(least), people) for least in _LEAST.tolist()]
    scores = [f for _, _, f in tried]
    labels = grouped(likeness.resemblance_worth(float(np.log10((1 - PRIOR) / PRIOR))))
    precision, recall, f = agreement(labels, people)
    one, other = np.triu_indices(len(labels), 1)
    elsewhere = (people[one] == people[other]) & (pictures[one] != pictures[other])
    return Grouped(
        size_px=size_px,
        looks=looks,
        tracks=len(vectors),
        people=len(set(people.tolist())),
        faces_a_track=len(tracks["face_track"]) / len(vectors),
        found=len(set(labels.tolist())),
        precision=precision,
        recall=recall,
        f=f,
        recall_other=float((labels[one] == labels[other])[elsewhere].mean()) if elsewhere.any() else float("nan"),
        best_f=max(scores),
        best_least=float(_LEAST[int(np.argmax(scores))]),
        sure_recall=max((recall for precision, recall, _ in tried if precision >= _SURE), default=0.0),
    )


def agreement(labels: np.ndarray, people: np.ndarray) -> tuple[float, float, float]:
    """Return precision, recall and F over pairs of tracks."""
    one, other = np.triu_indices(len(labels), 1)
    taken, are = labels[one] == labels[other], people[one] == people[other]
    both = float((taken & are).sum())
    precision, recall = both / max(1, int(taken.sum())), both / max(1, int(are.sum()))
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def measure_search(faces: int, embedder_sha256: str) -> None:
    """Say how long a result of so many faces takes to be read, searched and grouped, in this process."""
    with tempfile.TemporaryDirectory(prefix="grouping-") as folder:
        directory = write_large_result(Path(folder) / "result", faces, embedder_sha256)
        clocks = [_clocks()]
        result = read_result(directory)
        likeness = Likeness(embedder_sha256)
        probe = np.array(result.tracks[len(result.tracks) // 2].vector)
        clocks.append(_clocks())
        found = search(probe, 100.0, [result], likeness, 20)
        clocks.append(_clocks())
        people_of([result])
        clocks.append(_clocks())
    for name, before, after in zip(("read", "search", "people"), clocks[:-1], clocks[1:], strict=True):
        CONSOLE.print(f"{name}: {after[0] - before[0]:.2f} s, {after[1] - before[1]:.2f} s of CPU")
    CONSOLE.print(f"among {found.faces:,} faces of {found.tracks:,} tracks")


def _weights(tracks: Arrays) -> tuple[np.ndarray, np.ndarray]:
    weight = np.maximum(tracks["face_weight"].astype(np.float64), 1e-6)
    return weight * tracks["face_size_px"], weight


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
