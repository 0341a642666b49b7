"""How well enhanced pictures are known by the mark in their pixels, and what it costs: ``python -m tests.bench.marking``.

Real faces are reduced, enlarged by the default generator, marked, and published as JPEG; then comes what others do to
pictures. Likeness is that of a subscriber who makes vectors of what was published: the product makes its own before it marks.
False alarms are looked for in pictures without the mark: photographs, cut-outs of them, and unmarked enhanced faces.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import DetectConfig, PublishConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.detect.catalog import open_detector
from engine.marking import THRESHOLD, declare, find_mark, put_mark
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.pictures.encode import encode_picture
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator
from engine.verify.embedder import open_embedder
from tests.assets import SHARED
from tests.marking.attacks import as_jpeg, false_alarm_bound, scaled

CONSOLE = Console(width=160)


ATTACKS: dict[str, Callable[[Uint8], Uint8]] = {
    "as published": lambda picture: picture,
    "JPEG 75": lambda picture: as_jpeg(picture, 75),
    "x0.75": lambda picture: scaled(picture, 0.75),
    "x0.75, JPEG 75": lambda picture: as_jpeg(scaled(picture, 0.75), 75),
    "JPEG 75, x0.75": lambda picture: scaled(as_jpeg(picture, 75), 0.75),
    "x0.75 bilinear, JPEG 75": lambda picture: as_jpeg(scaled(picture, 0.75, cv2.INTER_LINEAR), 75),
    "x0.75 cubic, JPEG 75": lambda picture: as_jpeg(scaled(picture, 0.75, cv2.INTER_CUBIC), 75),
    "JPEG 50": lambda picture: as_jpeg(picture, 50),
    "x0.5": lambda picture: scaled(picture, 0.5),
    "x2, JPEG 75": lambda picture: as_jpeg(scaled(picture, 2, cv2.INTER_CUBIC), 75),
    "x0.717 by factor": lambda picture: np.asarray(cv2.resize(picture, None, fx=0.717, fy=0.717)),
    "contrast x0.85": lambda picture: np.asarray(cv2.convertScaleAbs(picture, alpha=0.85, beta=15)),
    "cut by 1 px": lambda picture: picture[1:, :-1],
    "cut by 2 px, JPEG 75": lambda picture: as_jpeg(picture[2:, :-2], 75),
    "cut by 4 px": lambda picture: picture[4:, :-4],
}


class Faces:
    """Two photographs each of people of no training, with landmarks, and what the product makes of the second one."""

    def __init__(self, people: int) -> None:
        config = SuperResolveConfig(precision="float32", engines="none")
        self._enhancer = Enhancer(open_generator(config, find_model, threads=1), 1.0, math.inf)
        embedder = open_embedder(VerifyConfig(), find_model)
        assert embedder is not None
        self._embedder = embedder
        self.pairs: list[tuple[Uint8, Uint8, Float32]] = []
        with (
            zipfile.ZipFile(SHARED / "data/lfw_gray/val.zip") as archive,
            closing(open_detector(DetectConfig(), find_model)) as detector,
        ):
            names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
            for _, files in itertools.groupby(names, lambda name: name.rsplit("/", 1)[0]):
                pictures = [_decoded(archive.read(name)) for name in itertools.islice(files, 2)]
                if len(pictures) < 2 or len(self.pairs) == people:
                    continue
                found = [detector.detect([planes_from_bgr(one, full_range=True)])[0] for one in pictures]
                if all(len(one) and one.landmarks is not None for one in found):
                    points = [one.landmarks[int(np.argmax(one.scores))] for one in found]
                    self.pairs.append((pictures[0], pictures[1], np.stack(points)))
        self.references = self.vectors([pair[0] for pair in self.pairs], [pair[2][0] for pair in self.pairs])

    def enhanced(self, size_px: int) -> list[Uint8]:
        """Return each second photograph, reduced and enlarged."""
        small = [cv2.resize(pair[1], (size_px, size_px), interpolation=cv2.INTER_AREA) for pair in self.pairs]
        return [self._enhancer.enlarge([planes_from_bgr(np.asarray(one), full_range=True)])[0].bgr for one in small]

    def places(self, side_px: int) -> list[Float32]:
        return [np.asarray(pair[2][1] * (side_px / pair[1].shape[1]), np.float32) for pair in self.pairs]

    def vectors(self, pictures: list[Uint8], places: list[Float32]) -> Float32:
        return np.concatenate([self._embedder.embed([one], [points]) for one, points in zip(pictures, places, strict=True)])


def measure(faces: Faces, size_px: int) -> dict[str, float]:
    """Return the figures of one size."""
    pictures = faces.enhanced(size_px)
    marked = [put_mark(picture) for picture in pictures]
    decibels = [cv2.PSNR(one, other) for one, other in zip(pictures, marked, strict=True)]
    figures = {"PSNR mean, dB": float(np.mean(decibels)), "PSNR least, dB": min(decibels)}
    published = [as_jpeg(picture, PublishConfig().jpeg_quality) for picture in marked]
    for name, attack in ATTACKS.items():
        scores = np.array([find_mark(attack(picture)).score for picture in published])
        figures[f"{name}: found"] = float((scores >= THRESHOLD).mean())
        figures[f"{name}: least"] = float(scores.min())
    return figures | _likeness(faces, pictures, published)


def _likeness(faces: Faces, pictures: list[Uint8], published: list[Uint8]) -> dict[str, float]:
    places = faces.places(pictures[0].shape[1])
    without = faces.vectors([as_jpeg(picture, PublishConfig().jpeg_quality) for picture in pictures], places)
    having = faces.vectors(published, places)
    own, other = faces.references, np.roll(faces.references, 1, axis=0)
    lost = 1 - (without * having).sum(1)
    change, strange = ((having - without) * own).sum(1), ((having - without) * other).sum(1)
    return {
        "1 - cosine of both, mean": float(lost.mean()), "1 - cosine of both, most": float(lost.max()),
        "score change, same person, mean": float(change.mean()),
        "score change, same person, mean size": float(abs(change).mean()),
        "score change, same person, most": float(abs(change).max()), "score change, stranger, mean": float(strange.mean()),
    }  # fmt: skip


def natural(most: int) -> Iterator[tuple[str, Uint8]]:
    """Yield pictures without a mark: photographs and cut-outs."""
    rng = np.random.default_rng(1)
    for name in ("general_sr/train.zip", "detector_faces.zip", "detector_negatives.zip", "lfw_gray/train.zip"):
        with zipfile.ZipFile(SHARED / "data" / name) as archive:
            files = [one for one in archive.namelist() if one.lower().endswith((".jpg", ".png", ".jpeg"))]
            taken = files if most >= len(files) else rng.permutation(files)[:most]
            most -= len(taken)
            for one in taken:
                picture = _decoded(archive.read(str(one)))
                height, width = picture.shape[:2]
                side = int(rng.integers(32, max(33, min(height, width))))
                top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
                yield name, picture if rng.random() < 0.4 else picture[top : top + side, left : left + side].copy()


def false_alarms(scores: list[float]) -> dict[str, float]:
    """Return how far the scores of unmarked pictures are from the threshold, by two fits to the highest twentieth.

    A score is the best of many ways to look, each of them a sum of 120 cosines: as many normal ones as explain the twentieth
    say what is beyond. An exponential tail, the heaviest that an extreme value of such sums can have, says more than there is.
    """
    found = np.sort(scores)
    tail = found[-len(found) // 20 :]
    excess = float((tail - tail[0]).mean())
    normal = [0.5 * math.erfc(score / math.sqrt(2)) for score in (float(tail[0]), THRESHOLD)]
    return {
        "pictures": len(found), "mean": float(found.mean()), "deviation": float(found.std()), "most": float(found[-1]),
        "share beyond, normal tail": 0.05 * normal[1] / normal[0],
        "share beyond, exponential tail": 0.05 * math.exp(-(THRESHOLD - tail[0]) / excess),
        "share of keys beyond, bound": false_alarm_bound(),
    }  # fmt: skip


def costs() -> dict[str, float]:
    """Return microseconds of one picture of 128x128 (medians of 200)."""
    face = cv2.resize(next(picture for _, picture in natural(4)), (128, 128), interpolation=cv2.INTER_CUBIC)
    quality = PublishConfig().jpeg_quality
    file = encode_picture(np.asarray(face), quality=quality)
    steps: dict[str, Callable[[], object]] = {
        "mark, µs": lambda: put_mark(face),
        "sentence and XMP, µs": lambda: declare(file, "compact_fine_x4"),
        "encode as JPEG, µs": lambda: encode_picture(face, quality=quality),
        "look for it, µs": lambda: find_mark(face),
    }
    return {name: _median(step) for name, step in steps.items()} | {
        "bytes of sentence and XMP": float(len(declare(file, "compact_fine_x4")) - len(file))
    }


def _median(step: Callable[[], object], rounds: int = 200) -> float:
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        step()
        took.append(1e6 * (time.perf_counter() - begun))
    return float(np.median(took))


def _decoded(content: bytes) -> Uint8:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=250, help="of whom there are two photographs")
    parser.add_argument("--sizes", type=int, nargs="+", default=[12, 14, 16, 24, 32, 64, 96], help="sides of the crops, pixels")
    parser.add_argument("--natural", type=int, default=10_000, help="unmarked pictures")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {"costs": costs()}
    if options.sizes:
        faces = Faces(options.people)
        for size_px in options.sizes:
            figures[f"{4 * size_px} px"] = measure(faces, size_px)
    if options.natural:
        scores = [find_mark(picture).score for _, picture in natural(options.natural)]
        figures["unmarked"] = false_alarms(scores)
    for name, values in figures.items():
        table = Table(title=name, box=None, show_header=False, title_justify="left")
        for title, value in values.items():
            table.add_row(title, f"{value:.4g}")
        CONSOLE.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
