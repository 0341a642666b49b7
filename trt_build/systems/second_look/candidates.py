"""Candidates: a detector's faces at a low threshold, sorted by the labels into faces and false alarms."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.detect.detector import Detector
from trt_build.array_files import write_arrays
from trt_build.data.scenes.geometry import overlaps, resized
from trt_build.data.scenes.teacher import Labelled, grey_planes
from trt_build.systems.detector.scoring import MATCH_IOU
from trt_build.work import Done

_AWAY_IOU, _AWAY_SHARE = 0.02, 0.1
"""Largest overlap of a false alarm with anything that may be a face: over the union, and over the smaller box."""
_LEAST_SIDE_PX = 64
_FORMAT = 2
"""Version of the cache, which holds all detections; labels are applied when it is read."""


@dataclass(frozen=True)
class Candidates:
    """Boxes in a list of pictures, without doubtful ones."""

    pictures: list[Labelled]
    picture: NDArray[np.int64]
    """(N,) index of each box's picture."""
    boxes: Float32
    """(N, 4) boxes in pixels of the picture."""
    scores: Float32
    """(N,) scores of the detector."""
    scales: Float32
    """(N,) scales at which the picture was shown to the detector."""
    is_face: NDArray[np.bool_]
    """(N,) whether it is a face."""

    def __len__(self) -> int:
        return len(self.boxes)

    def only(self, rows: NDArray[np.int64]) -> Candidates:
        """Return some rows, with the same pictures."""
        return Candidates(
            self.pictures, self.picture[rows], self.boxes[rows], self.scores[rows], self.scales[rows], self.is_face[rows]
        )


def collect(
    pictures: Sequence[Labelled], detector: Detector, scales: Sequence[float], name: str, cache: Path, done: Done
) -> Candidates:
    """Run the detector on each picture at each scale; detections are cached in ``cache``, and sorted by the current labels.

    Args:
        pictures: luma of either range.
        detector: open at a low threshold.
        scales: factors of the pictures' size.
        name: of the pictures, for the file in the cache; other pictures need another name.
        cache: folder.
        done: for progress.
    """
    shown = (_FORMAT, detector.model_sha256, detector.min_score, tuple(scales), name, len(pictures))
    key = hashlib.sha256(repr(shown).encode()).hexdigest()[:12]
    path = cache / f"candidates-{key}.npz"
    if not path.exists():
        rows: list[dict[str, NDArray[Any]]] = []
        for number, one in enumerate(pictures):
            rows += [_seen(one, number, detector, scale) for scale in scales]
            done(f"candidates in {name}", number + 1, len(pictures))
        write_arrays(path, {key: np.concatenate([row[key] for row in rows]) for key in rows[0]})
    with np.load(path) as stored:
        return _sorted(list(pictures), {key: stored[key] for key in ("picture", "boxes", "scores", "scales")})


def _sorted(pictures: list[Labelled], found: dict[str, NDArray[Any]]) -> Candidates:
    """Sort detections and drop doubtful ones; ``found`` is grouped by pictures."""
    is_face, is_none = np.zeros((2, len(found["picture"])), bool)
    ends = np.searchsorted(found["picture"], np.arange(len(pictures) + 1))
    for one, first, end in zip(pictures, ends, ends[1:], strict=False):
        is_face[first:end], is_none[first:end] = sorted_by_labels(found["boxes"][first:end], one)
    kept = is_face | is_none
    return Candidates(pictures, **{key: values[kept] for key, values in found.items()}, is_face=is_face[kept])


def _seen(one: Labelled, number: int, detector: Detector, scale: float) -> dict[str, NDArray[Any]]:
    shown = scaled(one.image, scale)
    if shown is None:
        boxes, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    else:
        (found,) = detector.detect([grey_planes(shown, full_range=True)])
        factor = np.array([shown.shape[1] / one.image.shape[1], shown.shape[0] / one.image.shape[0]] * 2, np.float32)
        boxes, scores = found.boxes / factor, found.scores
    return {
        "picture": np.full(len(boxes), number, np.int64),
        "boxes": boxes,
        "scores": scores,
        "scales": np.full(len(boxes), scale, np.float32),
    }


def scaled(image: Uint8, scale: float) -> Uint8 | None:
    """Return a picture at another scale; None if it would be too small."""
    if scale * min(image.shape) < _LEAST_SIDE_PX and scale < 1:
        return None
    return resized(image, scale)


def sorted_by_labels(boxes: Float32, truth: Labelled) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which boxes are a labelled face, and which are away from everything that may be one."""
    is_face = np.any(overlaps(boxes, truth.boxes) >= MATCH_IOU, axis=1)
    known = np.concatenate([truth.boxes, truth.unsure])
    near = np.any((overlaps(boxes, known) > _AWAY_IOU) | (shares(boxes, known) > _AWAY_SHARE), axis=1)
    return is_face, np.asarray(~near)


def shares(ones: Float32, others: Float32) -> Float32:
    """Return the intersection of each of N boxes with each of M, over the smaller of the two, (N, M)."""
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, :2] + ones[:, None, 2:], others[None, :, :2] + others[None, :, 2:])
    smaller = np.minimum(ones[:, 2:].prod(axis=1)[:, None], others[:, 2:].prod(axis=1)[None])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2) / np.maximum(smaller, 1e-6), np.float32)
