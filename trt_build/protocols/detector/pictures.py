"""Measures detectors on real pictures and frames that were kept apart: recall by width and kind of face, false
alarms, points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.detect.detector import Detector
from trt_build.data.scenes.clips import labelled_clips
from trt_build.data.scenes.pictures import both_sides
from trt_build.data.scenes.teacher import Labelled, Teacher, grey_planes
from trt_build.errors import DataError
from trt_build.recipes.detector import MaterialSpec
from trt_build.systems.detector.scoring import Tally
from trt_build.work import Done

BANDS = ((10.0, 16.0), (16.0, 24.0), (24.0, 48.0), (48.0, 96.0), (96.0, np.inf))
KINDS = ("no_points", "profile", "dark")
_PROFILE = 0.35
"""Distance of the nose from the line between the centres of eyes and mouth, as a share of the face's width, from which on a
face is a profile.
"""
_DARK = 60.0
"""Mean luma below which a face is dark."""
_WORDS = {"mask-detection-dataset": "masks", "/with_mask/": "masks", "surv-dataset": "cctv"}
"""Kind of the pictures of some sources."""
Row = dict[str, float]


@dataclass
class Judged:
    """The results of one detector on all pictures."""

    tally: Tally = field(default_factory=Tally)
    kinds: list[frozenset[str]] = field(default_factory=list)
    """Kinds of each face of ``tally.labelled``: those of ``KINDS``, and the word of its picture."""

    def row(self, threshold: float) -> Row:
        """Return recall and precision by width, recall by kind, false alarms a picture without a face, and the error of the
        points.

        Faces of a kind count from 16 px on.
        """
        tally = self.tally
        row = {f"recall_{low:.0f}_px": tally.recall(threshold, low, high) for low, high in BANDS}
        row |= {f"precision_{low:.0f}_px": tally.precision(threshold, low, high) for low, high in BANDS}
        row["recall"] = tally.recall(threshold, 16)
        row["precision"] = tally.precision(threshold, 16)
        for kind in sorted(set().union(*self.kinds)):
            scores = [
                score for (width, score), of in zip(tally.labelled, self.kinds, strict=True) if kind in of and width >= 16
            ]
            row[f"recall_{kind}"] = float(np.mean([score >= threshold for score in scores])) if scores else float("nan")
        wrong = sum(score >= threshold for score in tally.empty_scores)
        row["false_a_picture"] = wrong / tally.empty if tally.empty else float("nan")
        return row | {"points": tally.figures(threshold)["points"]}


def judge(
    detectors: Mapping[str, Detector],
    pictures: Sequence[tuple[str, Labelled]],
    done: Callable[[int], None] = lambda count: None,
) -> dict[str, Judged]:
    """Run detectors over the same grey pictures.

    Args:
        detectors: by name; their ``min_score`` should be low enough for every threshold used later.
        pictures: a word for the kind of each picture (empty: none), and the picture, luma 0 to 255.
        done: for progress.
    """
    judged = {name: Judged() for name in detectors}
    for number, (word, truth) in enumerate(pictures):
        kinds = kinds_of(truth)
        named = [kind | {word} if word else kind for kind in kinds]
        for name, detector in detectors.items():
            (found,) = detector.detect([grey_planes(np.ascontiguousarray(truth.image), full_range=True)])
            judged[name].tally.add(truth, found)
            judged[name].kinds += named
        done(number + 1)
    return judged


def kept_apart(spec: MaterialSpec, cache: Path, done: Done) -> list[tuple[str, Labelled]]:
    """Return the validation pictures of a recipe, with and without faces, with the words "masks", "cctv" or "".

    Raises:
        DataError: the recipe names no real pictures, or they cannot be read.
    """
    if not (spec.pictures and spec.negatives):
        raise DataError("The recipe has no material.pictures and material.negatives to compare detectors on.")
    apart = [both_sides(archive, spec, cache, done)[1] for archive in (spec.pictures, spec.negatives)]
    return [(_word(picture.source), picture.labelled) for side in apart for picture in side]


def frames_apart(spec: MaterialSpec, cache: Path, done: Done) -> list[tuple[str, Labelled]]:
    """Return frames of the clips that a recipe keeps apart, for ``judge``.

    Raises:
        DataError: the recipe names no clips, or they or the table of what was looked at cannot be read.
    """
    frames = labelled_clips(spec.clips, Teacher(Path(spec.teacher)), cache, done, apart=True)
    if not frames:
        raise DataError("The recipe has no material.clips to compare detectors on, or keeps none of them apart.")
    return [("", frame) for frame in frames]


def _word(source: str) -> str:
    words = (word for part, word in _WORDS.items() if part in source)
    return next(words, "")


def kinds_of(truth: Labelled) -> list[frozenset[str]]:
    """Return the kinds of each face of a picture, see ``KINDS``; ``no_points``: a given box that no teacher found."""
    found = []
    for box, points in zip(truth.boxes, truth.points, strict=True):
        kinds = set()
        if not np.isfinite(points).all():
            kinds.add("no_points")
        elif abs(points[2, 0] - (points[:2, 0].mean() + points[3:, 0].mean()) / 2) > _PROFILE * box[2] / 2:
            kinds.add("profile")
        if (window := _inside(truth.image, box)).size and window.mean() < _DARK:
            kinds.add("dark")
        found.append(frozenset(kinds))
    return found


def _inside(image: Uint8, box: Float32) -> Uint8:
    x, y, width, height = (int(value) for value in box)
    return image[max(0, y) : y + height, max(0, x) : x + width]
