"""Mines a detector's mistakes on its training material: false alarms and missed faces."""

from __future__ import annotations

import numpy as np
from torch import nn

from engine.contracts.frames import Detections, Float32, Uint8
from trt_build.data.degradation import Random
from trt_build.data.scenes.geometry import overlaps, resized
from trt_build.data.scenes.hard import CLIPS, NEGATIVES, PICTURES, Hard
from trt_build.data.scenes.material import Material
from trt_build.data.scenes.teacher import Labelled
from trt_build.data.scenes.textures import texture
from trt_build.recipes.detector import MiningSpec
from trt_build.systems.detector import scoring

_MOST = 10
"""Most false alarms, and most missed faces, of one picture."""
_LEAST_PX = 12.0
"""A face that was narrower than this in the examined picture does not count as missed."""


def mine(network: nn.Module, material: Material, before: Hard, spec: MiningSpec, side_px: int, rng: Random) -> Hard:
    """Examine pictures, and return the mistakes in them after the earlier ones; the newest of each kind are kept.

    Args:
        network: of a detector.
        material: pictures to examine.
        before: mistakes known before.
        spec: number and kinds of pictures.
        side_px: side of a training picture.
        rng: chooses the pictures and their scales.
    """
    kinds = {NEGATIVES: material.negatives, PICTURES: material.pictures, CLIPS: material.clips}
    ends = np.cumsum([spec.negatives, spec.faces, spec.clips])
    windows, places = list(before.windows), [before.places]
    for _ in range(spec.pictures):
        kind = int(np.searchsorted(ends, rng.random(), side="right"))
        if pictures := kinds.get(kind):
            number = int(rng.integers(len(pictures)))
            boxes = _wrong_in(network, pictures[number], spec, rng)
            places.append(np.column_stack([np.full((len(boxes), 2), (kind, number)), boxes]).astype(np.float32))
        else:
            windows += _false_windows(network, material, spec, side_px, rng)
    return Hard(windows[-spec.keep :], np.concatenate(places)[-spec.keep :])


def wrong_boxes(truth: Labelled, found: Detections, spec: MiningSpec, least_px: float) -> tuple[Float32, Float32]:
    """Return detections away from all faces and doubtful boxes (N, 4), and missed faces of at least ``least_px`` (M, 4)."""
    false = found.boxes[~(overlaps(found.boxes, np.concatenate([truth.boxes, truth.unsure])) > 0).any(axis=1)]
    seen = (overlaps(truth.boxes, found.boxes[found.scores >= spec.missed_score]) >= scoring.MATCH_IOU).any(axis=1)
    asked = (truth.boxes[:, 2] >= least_px) & (spec.missed_score > 0)
    return false, truth.boxes[asked & ~seen]


def _wrong_in(network: nn.Module, picture: Labelled, spec: MiningSpec, rng: Random) -> Float32:
    scale = _scale(rng)
    found = scoring.find_faces(network, resized(picture.image, scale), spec.min_score)
    found = Detections(found.boxes / np.float32(scale), found.scores, found.landmarks / np.float32(scale))
    some = wrong_boxes(picture, found, spec, _LEAST_PX / scale)
    return np.concatenate([boxes[rng.permutation(len(boxes))[:_MOST]] for boxes in some])


def _false_windows(network: nn.Module, material: Material, spec: MiningSpec, side_px: int, rng: Random) -> list[Uint8]:
    """Return the false alarms in a background or a texture, cut out."""
    backgrounds = material.backgrounds
    if backgrounds and rng.random() < 0.6:
        picture = resized(backgrounds[rng.integers(len(backgrounds))], _scale(rng))
    else:
        picture = texture(2 * side_px, rng).astype(np.uint8)
    return scoring.windows(picture, list(scoring.find_faces(network, picture, spec.min_score).boxes[:_MOST]))


def _scale(rng: Random) -> float:
    return float(np.exp(rng.uniform(np.log(0.4), np.log(1.5))))
