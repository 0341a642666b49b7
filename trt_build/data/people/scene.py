"""Renders clips with many moving faces of one size: each keeps to its own place, so that a track shows whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from engine.pictures.x264 import repeatable_x264

WIDTH, HEIGHT = 1280, 720
FPS = 25
FRAMES = 50
"""Number of frames: each face is visible for two seconds."""
CRF = (18, 28)
NOISE_LEVELS = (1.0, 2.5)
"""Standard deviation of the camera's noise, in grey levels."""
BLUR_PX = (0.1, 0.4)
_WHOLE = 1.1
"""Factor by which a detector's box in a scene is larger than in a photograph that ends at the head."""
_SWAY = 0.12
"""How far a face moves from its place, as a share of its size; at least 1.5 px."""
_FRAME = 0.45
"""Border added to the photograph on each side for hair and shoulders, as a share of the face's size."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A photograph with one face."""

    name: str
    """``PERSON/PICTURE``."""
    luma: Uint8
    """(H, W), 0 to 255."""
    box: tuple[float, float, float, float]
    """The detector's box of the face: x, y, width, height in its pixels."""

    @property
    def size_px(self) -> float:
        """Geometric mean of the box's sides, scaled to the box of a whole head."""
        return _WHOLE * float(np.sqrt(self.box[2] * self.box[3]))


def places(size_px: float) -> NDArray[np.float64]:
    """Return the centres of all faces that fit into a clip, (N, 2) x and y in pixels."""
    pitch = _pitch(size_px)
    columns, rows = WIDTH // pitch, HEIGHT // pitch
    x = (np.arange(columns) + 0.5) * (WIDTH / columns)
    y = (np.arange(rows) + 0.5) * (HEIGHT / rows)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def way(place: NDArray[np.float64], size_px: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return centre x and y in pixels, zoom, and rotation in radians of a face in each frame: (FRAMES, 4)."""
    seconds = np.arange(FRAMES) / FPS
    sway = max(1.5, _SWAY * size_px)
    result = np.empty((FRAMES, 4))
    for axis in range(2):
        drift = rng.uniform(-0.5, 0.5) * (seconds / seconds[-1] - 0.5)
        result[:, axis] = place[axis] + sway * (drift + 0.5 * np.sin(_phase(rng, seconds)))
    result[:, 2] = 1 + 0.04 * np.sin(_phase(rng, seconds))
    result[:, 3] = rng.normal(0, 0.03) + 0.04 * np.sin(_phase(rng, seconds))
    return result


def render(path: Path, actors: Sequence[Actor], size_px: float, seed: int, ground: Uint8 | None = None) -> None:
    """Write a clip of ``FRAMES`` frames; the same arguments give the same file.

    Args:
        path: of the H.264 file.
        actors: at most as many as there are ``places``.
        size_px: size of every face, by the detector's box.
        seed: of all randomness; the motion is that of ``ways_of``.
        ground: (H, W) luma of the background, 0 to 255; None: plain grey.
    """
    rng = np.random.default_rng((seed, 1))
    options = {"preset": "veryfast", "crf": str(int(rng.integers(CRF[0], CRF[1] + 1))), "g": "50", **repeatable_x264()}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for planes in _pictures(actors, size_px, seed, ground, rng):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode())


def ways_of(count: int, size_px: float, seed: int) -> list[NDArray[np.float64]]:
    """Return the ``way`` of each of the first ``count`` faces of a clip."""
    return [way(place, size_px, np.random.default_rng((seed, 2, at))) for at, place in enumerate(places(size_px)[:count])]


def _pictures(
    actors: Sequence[Actor], size_px: float, seed: int, ground: Uint8 | None, rng: np.random.Generator
) -> Iterator[Uint8]:
    """Yield each frame as I420, (HEIGHT * 3 / 2, WIDTH)."""
    behind = _behind(ground, rng)
    tiles = [_Tile(actor, size_px, np.random.default_rng((seed, 3, at))) for at, actor in enumerate(actors)]
    ways = ways_of(len(actors), size_px, seed)
    noise = rng.standard_normal((HEIGHT + 64, WIDTH + 64), np.float32) * rng.uniform(*NOISE_LEVELS)
    chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    for index in range(FRAMES):
        picture = behind.copy()
        for tile, steps in zip(tiles, ways, strict=True):
            tile.paint(picture, steps[index])
        row, column = rng.integers(0, 64, 2)
        picture += noise[row : row + HEIGHT, column : column + WIDTH]
        luma = np.clip(16 + picture * (219 / 255), 16, 235).round().astype(np.uint8)
        yield np.concatenate([luma, chroma])


class _Tile:
    """One person at twice the largest rendered size, blurred as by a lens."""

    def __init__(self, actor: Actor, size_px: float, rng: np.random.Generator) -> None:
        self._side = _pitch(size_px)
        scale = size_px / actor.size_px
        luma, alpha, centre = _figure(actor, rng)
        shrink = min(1.0, 2 * scale)
        if shrink < 1:
            luma, alpha = (_shrunk(plane, shrink) for plane in (luma, alpha))
        gain, lift = rng.uniform(0.7, 1.05), rng.uniform(0, 25)
        self._luma = cv2.GaussianBlur(luma, (0, 0), rng.uniform(*BLUR_PX) * shrink / scale) * gain + lift
        self._alpha = alpha
        self._centre = (centre + 0.5) * shrink - 0.5
        self._scale = scale / shrink

    def paint(self, picture: NDArray[np.float32], step: NDArray[np.float64]) -> None:
        side = self._side
        left, top = (round(float(value) - side / 2) for value in step[:2])
        left, top = min(max(left, 0), WIDTH - side), min(max(top, 0), HEIGHT - side)
        cosine, sine = (step[2] * self._scale * turn for turn in (np.cos(step[3]), np.sin(step[3])))
        turn = np.array([[cosine, -sine], [sine, cosine]])
        shift = step[:2] - (left, top) - turn @ self._centre
        matrix = np.column_stack([turn, shift])
        face = cv2.warpAffine(self._luma, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(self._alpha, matrix, (side, side), flags=cv2.INTER_LINEAR)
        under = picture[top : top + side, left : left + side]
        under += alpha * (face - under)


def _shrunk(plane: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(plane, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.float32)


def _figure(actor: Actor, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Return luma and opacity of head and shoulders, and the centre of the face, in pixels of the photograph.

    The photographs end at the head: without an outline around it no detector recognises a small face.
    """
    x, y, width, height = actor.box
    frame = round(_FRAME * np.sqrt(width * height))
    side = np.array(actor.luma.shape) + 2 * frame
    centre = np.array([x + width / 2, y + height / 2]) + frame
    luma, alpha = np.zeros(side, np.float32), np.zeros(side, np.float32)
    hair, skin, cloth = rng.uniform(5, 90), rng.uniform(60, 190), rng.uniform(10, 230)

    def oval(down: float, across: float, high: float, tone: float) -> None:
        at = (round(float(centre[0])), round(float(centre[1] + down * height)))
        axes = (round(across * width), round(high * height))
        for plane, value in ((luma, tone), (alpha, 1.0)):
            cv2.ellipse(plane, at, axes, 0, 0, 360, value, -1, cv2.LINE_AA)

    oval(-0.08, 0.72, 0.78, hair)
    oval(0.6, 0.24, 0.45, skin)
    oval(1.6, 1.1, 0.85, cloth)
    mask = np.zeros(side, np.float32)
    at = (round(float(centre[0])), round(float(centre[1] - 0.05 * height)))
    cv2.ellipse(mask, at, (round(0.72 * width), round(0.75 * height)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.06 * width), np.float32)
    luma += mask * (cv2.copyMakeBorder(actor.luma, frame, frame, frame, frame, cv2.BORDER_REPLICATE) - luma)
    edges = [_ramp(length, 0.25 * frame) for length in side]
    return luma, np.asarray(np.maximum(alpha, mask) * np.minimum.outer(*edges), np.float32), centre


def _behind(ground: Uint8 | None, rng: np.random.Generator) -> NDArray[np.float32]:
    if ground is None:
        left, right = rng.uniform(60, 190, 2).tolist()
        return np.tile(np.linspace(left, right, WIDTH, dtype=np.float32), (HEIGHT, 1))
    return np.asarray(cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32) * 0.8 + 20


def _pitch(size_px: float) -> int:
    """Distance between faces, with room for the photograph's border and the motion."""
    return int(np.ceil(2.0 * size_px + 2 * max(1.5, _SWAY * size_px))) + 4


def _phase(rng: np.random.Generator, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rng.uniform(0, 2 * np.pi) + 2 * np.pi * rng.uniform(0.2, 0.9) * seconds)


def _ramp(length: int, feather: float) -> NDArray[np.float64]:
    at = np.arange(length) + 0.5
    return np.asarray(np.clip(np.minimum(at, length - at) / max(feather, 1.0), 0, 1))
