"""Cuts training pictures out of real ones: windows at other scales, alone or in a grid, so that small faces are frequent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from trt_build.data.degradation import Random
from trt_build.data.scenes.covers import cover_faces
from trt_build.data.scenes.geometry import moved_boxes, moved_points, turn_about, warp
from trt_build.data.scenes.overlays import put_overlays
from trt_build.data.scenes.photography import photograph
from trt_build.data.scenes.scene import Scene, flipped
from trt_build.data.scenes.teacher import Labelled
from trt_build.measures.resample import to_levels
from trt_build.recipes.detector import SceneSpec

_VISIBLE, _SMALLEST_PX = 0.6, 7.0
"""Share of a face that must lie inside to be used for training, and its least width."""
_GRIDS, _SHARES = (1, 2, 4), (0.5, 0.3, 0.2)
_LARGEST_SCALE = 1.8
"""Largest enlargement of a picture; beyond it no detail is left."""
_UNTOUCHED = 0.3
"""Share of windows that are not degraded."""
NO_PLACES: NDArray[np.float32] = np.zeros((0, 5), np.float32)


@dataclass(frozen=True)
class Source:
    """Pictures of one kind, and the network's mistakes in them."""

    pictures: list[Labelled]
    places: Float32
    """(N, 5): number of the picture, and x, y, width, height."""


@dataclass(frozen=True)
class Labels:
    """The labels of one window, as in ``Scene``."""

    boxes: Float32
    points: Float32
    ignored: Float32

    def moved(self, shift: Float32) -> Labels:
        """Return the labels shifted by (x, y)."""
        of_box = np.concatenate([shift, np.zeros(2, np.float32)])
        return Labels(self.boxes + of_box, self.points + shift, self.ignored + of_box)


def cut_scene(first: Source, second: Source, spec: SceneSpec, rng: Random, *, decoded: bool = False) -> Scene:
    """Return a picture of windows, mostly from ``first``, in a grid also from ``second``.

    ``decoded``: they are video frames, which are not converted to video range again.
    """
    count = int(rng.choice(_GRIDS, p=_SHARES)) if spec.usual_px else 1
    side = spec.side_px // count
    canvas = np.zeros((spec.side_px, spec.side_px), np.float32)
    parts: list[Labels] = []
    for number in range(count * count):
        source = second if count > 1 and second.pictures and rng.random() < 0.25 else first
        corner = np.array([number % count, number // count]) * side
        image, labels = _cell(source, side, spec, rng)
        canvas[corner[1] : corner[1] + side, corner[0] : corner[0] + side] = image
        parts.append(labels.moved(corner.astype(np.float32)))
    boxes, points, ignored = (
        np.concatenate(some) for some in zip(*((one.boxes, one.points, one.ignored) for one in parts), strict=True)
    )
    if spec.covers and len(boxes):
        canvas = cover_faces(canvas, boxes, points, spec.covers, rng)
    if rng.random() < spec.overlays:
        canvas = put_overlays(canvas, np.concatenate([boxes, ignored]), rng)
    finished = to_levels(canvas) if rng.random() < _UNTOUCHED else photograph(canvas, rng, decoded=decoded)
    return flipped(Scene(finished, boxes, points, ignored), rng)


def _cell(source: Source, side: int, spec: SceneSpec, rng: Random) -> tuple[Float32, Labels]:
    if len(source.places) and rng.random() < spec.hard:
        place = source.places[rng.integers(len(source.places))]
        return window(source.pictures[int(place[0])], side, spec, rng, place[1:])
    return window(source.pictures[rng.integers(len(source.pictures))], side, spec, rng)


def window(picture: Labelled, side: int, spec: SceneSpec, rng: Random, at: Float32 | None = None) -> tuple[Float32, Labels]:
    """Cut a window out of a picture, scaled and slightly rotated, around one of its faces, or around ``at``.

    Faces that are hardly inside or too small for training are ignored.
    """
    height, width = picture.image.shape
    middle: NDArray[np.floating]
    covering = 0.8 * side / max(height, width)
    if at is not None:
        scale = float(np.exp(rng.normal(0, 0.25)))
        middle = at[:2] + at[2:] / 2 + rng.uniform(-0.35, 0.35, 2) * side / scale
    elif len(picture.boxes):
        box = picture.boxes[rng.integers(len(picture.boxes))]
        scale = float(np.clip(draw_width(spec, rng, side) / box[2], max(0.12, covering), _LARGEST_SCALE))
        middle = box[:2] + box[2:] / 2 + rng.uniform(-0.4, 0.4, 2) * side / scale
    else:
        scale = max(covering, float(np.exp(rng.uniform(np.log(0.3), np.log(1.6)))))
        middle = rng.uniform(0, 1, 2) * (width, height)
    middle = _inside(middle, np.array([width, height]), side / scale)
    angle = rng.uniform(-40, 40) if rng.random() < 0.25 else rng.normal(0, 4)
    stretch = float(rng.uniform(0.9, 1.1))
    matrix = turn_about(middle, (side / 2, side / 2), scale, angle, stretch)
    # The border is repeated, not mirrored: a face must not appear twice.
    image = warp(picture.image.astype(np.float32), matrix, scale, side, cv2.BORDER_REPLICATE)
    boxes, unsure = (moved_boxes(some, matrix, scale, stretch) for some in (picture.boxes, picture.unsure))
    return image, sorted_out(boxes, moved_points(picture.points, matrix), unsure, side)


def sorted_out(boxes: Float32, points: Float32, ignored: Float32, side: int) -> Labels:
    """Ignore faces that are hardly in the picture or too small for training; ignored boxes are clipped to the picture."""
    visible = _clipped(boxes, side)[:, 2:].prod(axis=1) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-6)
    learnt = (visible >= _VISIBLE) & (boxes[:, 2] >= _SMALLEST_PX)
    aside = _clipped(np.concatenate([ignored, boxes[~learnt]]), side)
    return Labels(boxes[learnt], points[learnt], aside[aside[:, 2:].prod(axis=1) > 0])


def draw_width(spec: SceneSpec, rng: Random, side: int) -> float:
    """Return the width of a face in a window; if a usual width is given, seven in ten lie between the smallest and that."""
    low, high = spec.smallest_px, min(spec.largest_px, 0.8 * side)
    if spec.usual_px and rng.random() < 0.7:
        high = min(high, spec.usual_px)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(low, high)))))


def _inside(middle: NDArray[np.floating], size: NDArray[np.int64], span: float) -> NDArray[np.floating]:
    """Return the centre of a window, moved so that little of the window lies outside the picture."""
    margin = np.minimum(0.45 * span, size / 2)
    return np.asarray(np.minimum(np.maximum(middle, margin), size - margin), np.float64)


def _clipped(boxes: Float32, side: int) -> Float32:
    low, high = np.clip(boxes[:, :2], 0, side), np.clip(boxes[:, :2] + boxes[:, 2:], 0, side)
    return np.concatenate([low, high - low], axis=1)
