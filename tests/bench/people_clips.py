"""Rendered people whose every box is known: they cross, stand where another stood, walk behind posts, and are cut away.

A person is a photograph of a face with a soft rim above plain clothes, on a photograph without faces; what is written is H.264.
The photographs are grey, so are the clips.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import FrameTime, Planes, Uint8
from engine.pictures.blocks import BlockReader, ask_for_blocks
from engine.pictures.x264 import repeatable_x264

WIDTH, HEIGHT, FPS = 640, 360, 25
_FACE_SHARE = 0.62
"""Width of the face within its photograph."""
Rng = np.random.Generator


class Faces:
    """Photographs by person."""

    def __init__(self, archive: Path) -> None:
        self._zip = zipfile.ZipFile(archive)
        self.people: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._zip.namelist()):
            if name.endswith(".jpg"):
                self.people[name.split("/")[0]].append(name)

    def draw(self, rng: Rng, count: int, photographs: int = 1) -> list[tuple[str, list[Uint8]]]:
        """Return people with so many photographs of each, which may be of different years."""
        able = [name for name, files in self.people.items() if len(files) >= photographs]
        chosen = [able[index] for index in rng.choice(len(able), count, replace=False)]
        return [(name, [self._read(file) for file in self.people[name][:photographs]]) for name in chosen]

    def _read(self, file: str) -> Uint8:
        return _grey(self._zip.read(file))


class Backgrounds:
    """Photographs without faces, filling the picture."""

    def __init__(self, archive: Path) -> None:
        self._zip = zipfile.ZipFile(archive)
        self._names = sorted(name for name in self._zip.namelist() if name.endswith((".jpg", ".png")))

    def draw(self, rng: Rng) -> Uint8:
        picture = _grey(self._zip.read(self._names[rng.integers(len(self._names))]))
        scale = max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
        large = cv2.resize(picture, None, fx=scale + 1e-3, fy=scale + 1e-3, interpolation=cv2.INTER_CUBIC)
        return np.asarray(large[:HEIGHT, :WIDTH] * 0.85 + 10, np.uint8)


@dataclass
class Walker:
    """One person of a clip."""

    name: str
    photographs: list[Uint8]
    way: NDArray[np.float64]
    """(frames, 3): middle of the face and its width in pixels; NaN while the person is not there."""
    shown: NDArray[np.int64]
    """(frames,): which photograph."""
    clothes: int = 90
    nods: float = 0.0
    """Phase of the small movements of the head."""


@dataclass
class Scene:
    """What a camera sees until the next cut."""

    background: Uint8
    walkers: list[Walker]
    frames: int
    posts: list[tuple[int, int]] = field(default_factory=list)
    """Columns, from and to, behind which people walk."""


@dataclass(frozen=True)
class Box:
    """One face of one frame."""

    name: str
    box: tuple[float, float, float, float]
    visible: float
    """Share that nothing hides."""


@dataclass
class Clip:
    """Encoded frames and what is in them."""

    kind: str
    planes: list[Planes]
    truth: list[list[Box]]
    cuts: list[int]
    """Frames that begin another scene."""
    tolerance: int = 0
    """Frames about each of them that belong to it."""

    def times(self) -> Iterator[tuple[FrameTime, Planes]]:
        for index, planes in enumerate(self.planes):
            yield FrameTime(index, index, (1, FPS), index / FPS, 0), planes


def film(kind: str, scenes: Sequence[Scene], rng: Rng, crf: int = 26, noise: float = 2.0, fade: int = 0) -> Clip:
    """Render scenes one after the other and send them through H.264.

    Args:
        kind: a name.
        scenes: are cut, or fade into each other in ``fade`` frames, in whose middle the cut is said to be.
        rng: decides the noise.
        crf: of x264.
        noise: standard deviation in steps of luma.
        fade: less than the frames of a scene.
    """
    pictures, truth, cuts = [], [], []
    for number, scene in enumerate(scenes):
        if number:
            cuts.append(len(pictures) + fade // 2)
            before, gone = _render(scenes[number - 1], scenes[number - 1].frames - 1)
        for index in range(scene.frames):
            picture, boxes = _render(scene, index)
            if number and index < fade:
                share = (index + 1) / (fade + 1)
                picture = np.asarray(picture * share + before * (1 - share), np.uint8)
                boxes = [replace(box, visible=box.visible * share) for box in boxes]
                boxes += [replace(box, visible=box.visible * (1 - share)) for box in gone]
            pictures.append(np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8))
            truth.append(boxes)
    return Clip(kind, through_h264(pictures, crf), truth, cuts, fade)


def straight(frames: int, start: tuple[float, float, float], end: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a way at even speed, with the steps of a walker."""
    share = np.linspace(0, 1, frames)[:, None]
    way = np.array(start) * (1 - share) + np.array(end) * share
    way[:, 1] += 0.06 * way[:, 2] * np.sin(np.arange(frames) / FPS * 2 * np.pi * 1.8)
    return way


def _render(scene: Scene, index: int) -> tuple[Uint8, list[Box]]:
    picture = scene.background.copy()
    ranks = np.full(picture.shape, -1, np.int16)
    there = [(float(walker.way[index, 2]), number) for number, walker in enumerate(scene.walkers) if walker.way[index, 2] > 0]
    for _, number in sorted(there):  # the nearest last
        _paint(picture, ranks, number, scene.walkers[number], index)
    for left, right in scene.posts:
        picture[:, left:right], ranks[:, left:right] = 60, 999
    boxes = []
    for _, number in there:
        x, y, width = scene.walkers[number].way[index]
        box = (x - width / 2, y - 0.64 * width, width, 1.28 * width)
        inside = ranks[max(0, round(box[1])) : round(box[1] + box[3]), max(0, round(box[0])) : round(box[0] + box[2])]
        share = (inside == number).sum() / max(1.0, box[2] * box[3])
        boxes.append(Box(scene.walkers[number].name, box, float(min(1.0, share))))
    return picture, boxes


def _paint(picture: Uint8, ranks: NDArray[np.int16], number: int, walker: Walker, index: int) -> None:
    x, y, width = walker.way[index]
    shoulder = round(y + 0.75 * width), round(1.1 * width)
    body = np.s_[
        max(0, shoulder[0]) : shoulder[0] + int(3 * width), max(0, int(x) - shoulder[1]) : max(0, int(x) + shoulder[1])
    ]
    picture[body], ranks[body] = walker.clothes, number
    photograph = walker.photographs[walker.shown[index]]
    side = photograph.shape[0]
    scale = width / (_FACE_SHARE * side)
    phase = 2 * np.pi * (walker.nods + index / FPS)
    turn = np.deg2rad(2.5 * np.sin(0.7 * phase))
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    squeeze = 1 - 0.06 * (1 + np.sin(0.45 * phase))
    linear = np.array([[cos * squeeze, -sin], [sin * squeeze, cos]])
    half = int(np.ceil(0.75 * side * scale)) + 2
    left, top = round(x) - half, round(y) - half
    matrix = np.column_stack([linear, np.array([x - left, y - top]) - linear @ np.array([side / 2, 0.53 * side])])
    source, mask = _levels(photograph, scale)
    factor = source.shape[0] / side
    matrix[:, :2] /= factor
    size = (2 * half, 2 * half)
    patch = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + 2 * half, WIDTH), min(top + 2 * half, HEIGHT)
    if x0 >= x1 or y0 >= y1:
        return
    crop = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    below = picture[y0:y1, x0:x1]
    light = 1 + 0.05 * np.sin(0.3 * phase)
    below[:] = np.clip(patch[crop] * light * alpha[crop] + below * (1 - alpha[crop]), 0, 255)
    ranks[y0:y1, x0:x1][alpha[crop] > 0.5] = number


def _levels(photograph: Uint8, scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the photograph and its mask, halved until little is left to reduce."""
    side = photograph.shape[0]
    rows, columns = np.mgrid[0:side, 0:side] / side
    distance = np.hypot((columns - 0.5) / 0.43, (rows - 0.5) / 0.52)
    mask = np.clip((1 - distance) / 0.08, 0, 1).astype(np.float32)
    picture = photograph.astype(np.float32)
    while scale < 0.6 and picture.shape[0] > 24:
        picture, mask = (cv2.resize(each, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for each in (picture, mask))
        scale *= 2
    return picture, mask


def through_h264(pictures: Sequence[Uint8], crf: int, rate: int = FPS) -> list[Planes]:
    """Return pictures (height, width), both even, as a decoder gives them back, with chroma of grey."""
    memory = io.BytesIO()
    height, width = pictures[0].shape
    grey = np.full((height // 2, width), 128, np.uint8)
    with av.open(memory, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast", "threads": "1", "bf": "0", **repeatable_x264()}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([picture, grey]), format="yuv420p")))
        container.mux(stream.encode(None))
    memory.seek(0)
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    reader = BlockReader()
    with av.open(memory, "r", format="h264") as container:
        ask_for_blocks(container.streams.video[0].codec_context, motion=True)
        return [
            Planes(np.array(frame.to_ndarray()[:height]), chroma, chroma, blocks=reader.read(frame))
            for frame in container.decode(video=0)
        ]


def _grey(data: bytes) -> Uint8:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
