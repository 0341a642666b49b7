"""The place of the sample clip: a hall seen by a camera near its ceiling, and the ways that people take through it.

Pinhole camera that looks level: a face ``face_px`` wide stands ``FACE_METRES * focal_px / face_px`` away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8

FACE_METRES = 0.15
_TILE_M = 0.6
"""Side of a tile, of the floor and of the ceiling."""
FPS = 25
CYCLE_SECONDS = 20.0
"""After this time everybody starts the same way again."""

# Ways, as (seconds, share of the picture's width, face width in px); between the points people walk straight on the floor.
WAYS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "crosses to the right": ((0, -0.15, 54), (0.5, -0.15, 54), (8, 1.15, 56), (11, 1.15, 46), (18, -0.15, 45), (20, -0.15, 54)),
    "crosses to the left": ((0, 1.15, 48), (1, 1.15, 48), (8.5, -0.15, 46), (12, -0.2, 66), (19.5, 1.2, 60), (20, 1.15, 48)),
    "approaches": ((0, 0.40, 20), (9.5, 0.33, 80), (11, -0.2, 80), (14, -0.25, 40), (15, -0.2, 20), (20, 0.40, 20)),
    "leaves and returns": (
        (0, 0.62, 44),
        (3, 0.80, 48),
        (5.5, 1.15, 52),
        (10, 1.15, 56),
        (13, 0.72, 62),
        (17, 0.6, 52),
        (20, 0.62, 44),
    ),
    "waits": ((0, 0.70, 66), (4, 0.74, 68), (8, 0.68, 62), (12, 0.62, 64), (16, 0.66, 70), (20, 0.70, 66)),
    "stays far": ((0, 0.25, 24), (6, 0.55, 28), (10, 0.78, 26), (15, 0.45, 22), (20, 0.25, 24)),
}


@dataclass(frozen=True, slots=True)
class Camera:
    """Where things land in the picture."""

    width_px: int
    height_px: int

    @property
    def focal_px(self) -> float:
        return 1.53 * self.height_px

    @property
    def horizon_px(self) -> float:
        return 0.11 * self.height_px

    @property
    def metres_above_crown(self) -> float:
        """So that the largest faces stand well inside the picture."""
        return 0.0058 * self.height_px * FACE_METRES

    @property
    def metres_above_floor(self) -> float:
        return self.metres_above_crown + 1.68

    def top_of(self, face_px: float | NDArray[np.float64], taller_metres: float) -> float | NDArray[np.float64]:
        """Return the row of the crown of a person whose face is ``face_px`` wide."""
        return self.horizon_px + (self.metres_above_crown - taller_metres) / FACE_METRES * face_px


def walk(camera: Camera, way: str, frames: int) -> NDArray[np.float64]:
    """Return (frames, 2): the column of the person's middle and the width of the face, both in pixels, for each frame."""
    points = np.array(WAYS[way])
    depth_m = FACE_METRES * camera.focal_px / points[:, 2]
    side_m = (points[:, 1] - 0.5) * camera.width_px * depth_m / camera.focal_px
    times = np.arange(-FPS // 2, frames + FPS // 2) / FPS
    on_floor = np.stack([np.interp(times % CYCLE_SECONDS, points[:, 0], values) for values in (side_m, depth_m)], 1)
    window = np.hanning(FPS // 2 * 2 + 3)[1:-1]
    smooth = np.stack([np.convolve(axis, window / window.sum(), "valid") for axis in on_floor.T], 1)[:frames]
    face_px = FACE_METRES * camera.focal_px / smooth[:, 1]
    return np.stack([camera.width_px / 2 + smooth[:, 0] * camera.focal_px / smooth[:, 1], face_px], 1)


def hall(camera: Camera, rng: np.random.Generator) -> Uint8:
    """Draw the empty hall, (height, width, 3) BGR: floor tiles, walls with doors, lamps and their gloss on the floor."""
    rows, columns = np.mgrid[0 : camera.height_px, 0 : camera.width_px].astype(np.float32)
    right = (columns - camera.width_px / 2) / camera.focal_px
    down = (rows - camera.horizon_px) / camera.focal_px
    floor_m, ceiling_m, wall_m, end_m = camera.metres_above_floor, 0.85, 3.6, 17.0
    with np.errstate(divide="ignore"):
        planes = np.stack([
            np.where(down > 0, floor_m / down, np.inf),
            np.where(down < 0, -ceiling_m / down, np.inf),
            np.where(right != 0, wall_m / np.abs(right), np.inf),
            np.full_like(right, end_m),
        ])  # fmt: skip
    surface, depth = planes.argmin(0), planes.min(0)
    x, y = right * depth, down * depth
    picture = np.choose(
        surface[..., None], [_floor(x, depth), _ceiling(x, depth), _wall(depth, y, floor_m), _end(x, y, floor_m)]
    )
    picture = picture * (0.75 + 0.75 * np.exp(-depth / 12))[..., None] * _lamps(x, depth)[..., None]
    grain = cv2.GaussianBlur(rng.standard_normal(right.shape).astype(np.float32), (0, 0), 1.2) * 6
    soft = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8)
    return np.asarray(np.clip(soft + grain[..., None], 0, 255), np.uint8)


def _floor(x: Float32, z: Float32) -> Float32:
    tile = ((np.floor(x / _TILE_M) * 7 + np.floor(z / _TILE_M) * 13) % 5 - 2) * 4
    joint = 24 * np.clip(1 - np.minimum(_to_joint(x), _to_joint(z)) / (0.008 + 0.0012 * z), 0, 1)
    return _tint((128, 138, 142), tile - joint)


def _ceiling(x: Float32, z: Float32) -> Float32:
    lamp = ((np.abs(np.abs(x) - 1.5) < 0.3) & (z % 3.0 < 1.2)) * 100
    return _tint((142, 148, 150), lamp - 14 * (np.minimum(_to_joint(x), _to_joint(z)) < 0.02))


def _wall(z: Float32, y: Float32, floor_m: float) -> Float32:
    height = floor_m - y
    door = (z % 4.2 < 1.1) & (height < 2.1)
    frame = ((z % 4.2 < 1.18) | (z % 4.2 > 4.12)) & (height < 2.18) & ~door
    skirting = (height < 0.12) & ~door
    board = (z % 4.2 > 2.2) & (z % 4.2 < 3.4) & (height > 1.2) & (height < 2.0)
    paint = np.where(height < 1.1, -16, 8) - 30 * (np.abs(height - 1.1) < 0.03)
    return _tint((150, 164, 168), paint - 62 * door - 36 * frame - 40 * skirting + 22 * board)


def _end(x: Float32, y: Float32, floor_m: float) -> Float32:
    height = floor_m - y
    glass = (np.abs(x) < 1.7) & (height < 2.5)
    bars = glass & ((np.abs(np.abs(x) - 0.85) < 0.06) | (np.abs(x) < 0.05) | (np.abs(height - 1.1) < 0.05))
    return _tint((176, 172, 160), 66 * glass - 110 * bars - 10)


def _lamps(x: Float32, z: Float32) -> Float32:
    """Return the light on each point: pools below the lamps, darker beside them."""
    below = np.exp(-(((np.abs(x) - 1.5) / 1.1) ** 2)) * (0.75 + 0.25 * np.cos(2 * np.pi * (z - 0.6) / 3.0))
    return np.asarray(0.80 + 0.22 * below, np.float32)


def _to_joint(value: Float32) -> Float32:
    """Return how far each point is from the nearest joint of the tiles, in metres."""
    return np.asarray(np.abs((value + _TILE_M / 2) % _TILE_M - _TILE_M / 2), np.float32)


def _tint(bgr: tuple[int, int, int], offset: Float32) -> Float32:
    return np.asarray(np.array(bgr, np.float32) + offset[..., None], np.float32)
