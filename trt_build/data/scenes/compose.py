"""Training pictures as pure functions of a random generator: composed scenes and windows of real pictures.

Coordinates are pixels, boxes x, y, width, height. A face that is mostly outside, too small or doubtful neither trains nor
counts against the network: its box goes to ``ignored``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from trt_build.data.degradation import Random
from trt_build.data.scenes.geometry import Matrix, covered, moved_boxes, moved_points, overlaps, turn_about, warp
from trt_build.data.scenes.hard import CLIPS, NEGATIVES, PICTURES, Hard
from trt_build.data.scenes.material import Material
from trt_build.data.scenes.photography import photograph
from trt_build.data.scenes.scene import Scene, flipped
from trt_build.data.scenes.teacher import Labelled, Teacher
from trt_build.data.scenes.textures import texture
from trt_build.data.scenes.windows import NO_PLACES, Source, cut_scene, sorted_out
from trt_build.recipes.detector import SceneSpec

_TRIES = 12
_MOST_COVERED = 0.1
_SEEN, _TOUCHED = 0.4, 0.2
"""IoU from which a teacher's box is the same face, and from which it is in about the same place."""


@dataclass(frozen=True)
class _Placed:
    """A face and its position."""

    face: Labelled
    matrix: Matrix
    scale: float
    box: Float32
    points: Float32


def make_scene(material: Material, hard: Hard, spec: SceneSpec, rng: Random, teacher: Teacher | None = None) -> Scene:
    """Return one scene.

    Args:
        material: faces, backgrounds, footage, real pictures and clips.
        hard: places of the network's false alarms and missed faces.
        spec: the shares.
        rng: decides everything.
        teacher: labels composed scenes, see ``agreed``.
    """
    without = Source(material.negatives, hard.of(NEGATIVES))
    kinds = (
        (spec.real, Source(material.frames, NO_PLACES), Source([], NO_PLACES), True),
        (spec.pictures, Source(material.pictures, hard.of(PICTURES)), without, False),
        (spec.clips, Source(material.clips, hard.of(CLIPS)), without, False),
        (spec.negatives, without, without, False),
    )
    draw = rng.random()
    for share, first, second, decoded in kinds:
        if first.pictures and 0 <= draw < share:
            return cut_scene(first, second, spec, rng, decoded=decoded)
        draw -= share
    scene = compose(material, hard.windows, spec, rng)
    return scene if teacher is None else agreed(scene, teacher.label(scene.image, full_range=False))


def compose(material: Material, hard: list[Uint8], spec: SceneSpec, rng: Random) -> Scene:
    """Place faces, and shapes that are not faces, on a background, and simulate a camera."""
    side = spec.side_px
    canvas = background(material, hard, spec, rng)
    for _ in range(int(rng.integers(0, 4))):
        _put_distractor(canvas, material, rng)
    placed = _placements(material.faces, spec, rng)
    for one in placed:
        if rng.random() < 0.5:
            _put_body(canvas, one.box, rng)
    for one in placed:
        _put_face(canvas, one, rng)
    boxes, points = [one.box for one in placed], [one.points for one in placed]
    image = photograph(canvas, rng)
    found = (np.stack(boxes), np.stack(points)) if boxes else (np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32))
    labels = sorted_out(*found, np.zeros((0, 4), np.float32), side)
    return flipped(Scene(image, labels.boxes, labels.points, labels.ignored), rng)


def agreed(scene: Scene, seen: Labelled) -> Scene:
    """Ignore faces that the teacher does not find in the finished picture, and faces that it finds but nobody placed.

    Darkness, noise and compression make some faces invisible; training on those teaches a network to see faces in noise.

    Args:
        scene: a composed scene.
        seen: the teacher's labels of its picture.
    """
    found = np.concatenate([seen.boxes, seen.unsure])
    overlap = overlaps(scene.boxes, found)
    visible = (overlap >= _SEEN).any(axis=1)
    known = np.concatenate([overlap, overlaps(scene.ignored, found)])
    surplus = found[~(known >= _TOUCHED).any(axis=0)]
    ignored = np.concatenate([scene.ignored, scene.boxes[~visible], surplus])
    return Scene(scene.image, scene.boxes[visible], scene.points[visible], ignored)


def background(material: Material, hard: list[Uint8], spec: SceneSpec, rng: Random) -> Float32:
    """Return a picture without a face, (side, side) float32 0 to 255."""
    side = spec.side_px
    draw = rng.random()
    if draw < 0.3 or not material.backgrounds:
        canvas = texture(side, rng)
    else:
        canvas = _window(material.backgrounds[rng.integers(len(material.backgrounds))], side, rng)
        if rng.random() < 0.2:
            other = _window(material.backgrounds[rng.integers(len(material.backgrounds))], side, rng)
            canvas = canvas + np.float32(rng.uniform(0.2, 0.5)) * (other - canvas)
        if draw < 0.45:
            mask = _soft_ellipse(side, rng.uniform(0, side, 2), rng.uniform(0.2, 0.6, 2) * side, rng.uniform(0, 180), 0.1)
            canvas = canvas * (1 - mask) + texture(side, rng) * mask
    if hard and rng.random() < spec.hard:
        _put_window(canvas, hard[rng.integers(len(hard))], rng)
    return np.asarray(canvas, np.float32)


def _window(picture: Uint8, side: int, rng: Random) -> Float32:
    if rng.random() < 0.25:
        picture = np.rot90(picture, int(rng.integers(1, 4)))
    height, width = picture.shape
    scale = max(float(np.exp(rng.uniform(np.log(0.5), np.log(2.0)))), 1.02 * side / min(height, width))
    crop = int(side / scale)
    top, left = int(rng.integers(0, height - crop + 1)), int(rng.integers(0, width - crop + 1))
    cut = picture[top : top + crop, left : left + crop]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(cut, (side, side), interpolation=how).astype(np.float32)
    if rng.random() < 0.1:
        resized = 255 - resized
    return np.ascontiguousarray(resized[:, ::-1]) if rng.random() < 0.5 else resized


def _put_window(canvas: Float32, window: Uint8, rng: Random) -> None:
    """Paste an earlier false alarm, slightly changed, somewhere."""
    side = canvas.shape[0]
    factor = rng.uniform(0.8, 1.25)
    height, width = (max(8, min(side, round(length * factor))) for length in window.shape)
    pasted = cv2.resize(window, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        pasted = pasted[:, ::-1]
    top, left = int(rng.integers(0, side - height + 1)), int(rng.integers(0, side - width + 1))
    canvas[top : top + height, left : left + width] = pasted


def _put_distractor(canvas: Float32, material: Material, rng: Random) -> None:
    """Paste a shape with only the outline of a face, so that outlines are not learned as faces."""
    side = canvas.shape[0]
    radius = np.exp(rng.uniform(np.log(6), np.log(80)))
    axes = radius * np.array([1.0, rng.uniform(1.0, 1.5)])
    mask = _soft_ellipse(side, rng.uniform(0, side, 2), axes, rng.uniform(-45, 45), rng.uniform(0.05, 0.3))
    inside = (
        _window(material.backgrounds[rng.integers(len(material.backgrounds))], side, rng)
        if material.backgrounds and rng.random() < 0.7
        else np.full((side, side), rng.uniform(20, 235), np.float32) + rng.normal(0, 6, (side, side)).astype(np.float32)
    )
    canvas[:] = canvas * (1 - mask) + inside * mask


def _placements(faces: list[Labelled], spec: SceneSpec, rng: Random) -> list[_Placed]:
    """Choose faces and positions that do not overlap, the largest first."""
    placed: list[_Placed] = []
    largest = _draw_width(spec, rng, spec.largest_px)
    widths = [_draw_width(spec, rng, largest) for _ in range(int(rng.integers(0, spec.faces + 1)))]
    for width in sorted(widths, reverse=True):
        face = faces[rng.integers(len(faces))]
        box = face.boxes[0]
        scale = min(width, 0.85 * spec.side_px) / float(box[2])
        angle = {0: 0.0, 1: rng.uniform(-15, 15), 2: rng.uniform(-45, 45)}[int(rng.choice(3, p=[0.2, 0.5, 0.3]))]
        stretch = rng.uniform(0.86, 1.08)
        for _ in range(_TRIES):
            middle = rng.uniform(0.02, 0.98, 2) * spec.side_px
            matrix = turn_about(box[:2] + box[2:] / 2, middle, scale, angle, stretch)
            (wanted,) = moved_boxes(face.boxes, matrix, scale, stretch)
            if all(covered(wanted, other.box) < _MOST_COVERED for other in placed):
                placed.append(_Placed(face, matrix, scale, wanted, moved_points(face.points, matrix)[0]))
                break
    return placed


def _put_face(canvas: Float32, placed: _Placed, rng: Random) -> None:
    """Paste a face with its own lighting."""
    side = canvas.shape[0]
    pixels = placed.face.image.astype(np.float32)
    mean = float(pixels.mean())
    pixels = (pixels - mean) * rng.uniform(0.5, 1.25) + np.clip(mean + rng.normal(0, 30), 15, 240)
    if rng.random() < 0.4:
        pixels = pixels * _side_light(pixels.shape, rng)
    moved = warp(pixels, placed.matrix, placed.scale, side, cv2.BORDER_REPLICATE)
    mask = warp(_face_mask(placed.face, rng), placed.matrix, placed.scale, side, cv2.BORDER_CONSTANT)
    canvas[:] = canvas * (1 - mask) + moved * mask
    if rng.random() < 0.08:
        _occlude(canvas, placed.box, rng)


def _face_mask(face: Labelled, rng: Random) -> Float32:
    """Return the opacity of each pixel of a face picture, 0 to 1: the head, or most of the picture."""
    height, width = face.image.shape
    box = face.boxes[0]
    middle = box[:2] + box[2:] / 2
    if rng.random() < 0.6:
        axes = box[2:] * rng.uniform(0.52, 0.75, 2)
        return _soft_ellipse(height, middle - (0, 0.05 * box[3]), axes, 0, rng.uniform(0.05, 0.25))
    mask = np.zeros((height, width), np.float32)
    left, top = (middle - box[2:] * rng.uniform(0.6, 0.8, 2)).astype(int)
    right, bottom = (middle + box[2:] * rng.uniform(0.6, 0.8, 2)).astype(int)
    mask[max(0, top) : bottom, max(0, left) : right] = 1
    return mask if rng.random() < 0.4 else np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.06 * float(box[2])), np.float32)


def _put_body(canvas: Float32, box: Float32, rng: Random) -> None:
    """Paint a neck and shoulders below a face, and hair behind it."""
    x, y, width, height = (float(value) for value in box)
    tone, dark = rng.uniform(10, 240), rng.uniform(0, 90)
    head = (int(x + width / 2), int(y + 0.42 * height))
    cv2.ellipse(canvas, head, (max(1, int(0.72 * width)), max(1, int(0.78 * height))), 0, 0, 360, dark, -1, cv2.LINE_AA)
    neck = (int(x + 0.28 * width), int(y + 0.7 * height), int(0.44 * width), int(0.8 * height))
    cv2.rectangle(canvas, neck, rng.uniform(60, 200), -1)
    shoulders = (int(x + width / 2), int(y + 2.3 * height))
    cv2.ellipse(canvas, shoulders, (max(1, int(1.3 * width)), max(1, int(height))), 0, 0, 360, tone, -1, cv2.LINE_AA)


def _occlude(canvas: Float32, box: Float32, rng: Random) -> None:
    """Cover a quarter of a face."""
    x, y, width, height = (float(value) for value in box)
    top = y + height * rng.choice([-0.05, 0.7])
    cv2.rectangle(canvas, (int(x), int(top), int(width), max(1, int(0.32 * height))), rng.uniform(10, 245), -1)


def _side_light(shape: tuple[int, ...], rng: Random) -> Float32:
    """Return a brightness factor for each pixel that falls off to one side."""
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.6)
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return np.asarray(1 + depth * np.tanh(2 * (x * np.cos(angle) + y * np.sin(angle))), np.float32)


def _draw_width(spec: SceneSpec, rng: Random, largest_px: float) -> float:
    return float(np.exp(rng.uniform(np.log(spec.smallest_px), np.log(largest_px))))


def _soft_ellipse(
    side: int, middle: NDArray[np.floating], axes: NDArray[np.floating], angle: float, softness: float
) -> Float32:
    """Return a mask (side, side), 1 inside, with an edge that is ``softness`` of the smaller axis wide."""
    mask = np.zeros((side, side), np.float32)
    centre = (int(middle[0]), int(middle[1]))
    cv2.ellipse(mask, centre, (max(1, int(axes[0])), max(1, int(axes[1]))), angle, 0, 360, 1.0, -1, cv2.LINE_AA)
    width = float(softness * min(axes))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), width), np.float32) if width > 0.3 else mask
