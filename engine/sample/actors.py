"""Draws the walking people of the sample clip: where their faces are, and how body, legs and shadow are laid on a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from engine.sample.people import CHIN, HIP, SOLE, UNIT_PX, Person, Sprite, leg, upper_body
from engine.sample.scene import FACE_METRES, FPS, Camera

STRIDE_HZ = 0.95
SHOULDER = 2.6
"""Face widths from the upper edge of a person to the point about which the body rolls."""
PERSON_LIGHT = 0.86
"""The photographs are brighter than the hall."""


class Actor:
    """One person on a way."""

    def __init__(self, person: Person, way: NDArray[np.float64], camera: Camera, rng: np.random.Generator) -> None:
        self.person, self.way, self._camera = person, way, camera
        self._upper, self._leg = upper_body(person, rng), leg(rng)
        self._taller_m = float(rng.uniform(-0.08, 0.08))
        self._phase = float(rng.uniform(0, 1))
        ahead = np.gradient(way[:, 0]) / way[:, 1] if len(way) > 1 else np.zeros(len(way))
        grows = np.gradient(1 / way[:, 1]) if len(way) > 1 else np.zeros(len(way))
        faces_per_second = np.hypot(ahead, grows * camera.focal_px) * FPS
        self._swing = np.clip(faces_per_second * FACE_METRES / 0.8, 0, 1)

    def pose(self, index: int) -> tuple[float, float, float, float]:
        """Return middle and crown in pixels, pixels per face width, and the roll in degrees."""
        column, face_px = map(float, self.way[index])
        stride = 2 * np.pi * (self._phase + STRIDE_HZ * index / FPS)
        swing = self._swing[index]
        top = self._camera.top_of(face_px, self._taller_m) + (0.04 * swing * np.sin(2 * stride) - 0.4) * face_px
        return float(column + 0.05 * swing * np.sin(stride) * face_px), float(top), float(face_px), float(1.5 * np.sin(stride))

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Return x, y, width, height of the face, in pixels."""
        column, top, face_px, roll = self.pose(index)
        height_px = self.person.box[3] / self.person.box[2] * face_px
        arm_px = (SHOULDER - CHIN) * face_px + height_px / 2
        x = column + np.sin(np.deg2rad(roll)) * arm_px
        y = top + SHOULDER * face_px - np.cos(np.deg2rad(roll)) * arm_px
        return float(x) - face_px / 2, float(y) - height_px / 2, face_px, height_px

    def paint(self, picture: Uint8, rank: int, ranks: Uint8, index: int) -> None:
        """Draw shadow, legs and body; ``ranks`` receives ``rank`` wherever the person hides what is behind."""
        column, top, face_px, roll = self.pose(index)
        stride = 2 * np.pi * (self._phase + STRIDE_HZ * index / FPS)
        _shadow(picture, column, top + (SOLE - 0.1) * face_px, face_px)
        for side in (-1, 1):
            angle = side * 13 * self._swing[index] * np.sin(stride)
            _paint(picture, ranks, rank, self._leg, (column + side * 0.52 * face_px, top + HIP * face_px), face_px, angle, 0.0)
        _paint(picture, ranks, rank, self._upper, (column, top), face_px, roll, SHOULDER)


def _paint(
    picture: Uint8,
    ranks: Uint8,
    rank: int,
    sprite: Sprite,
    at: tuple[float, float],
    face_px: float,
    degrees: float,
    pivot: float,
) -> None:
    """Lay a sprite over the picture with sub-pixel position; ``at`` is where its (0, 0) lands, it turns about (0, pivot)."""
    level = min(int(max(np.log2(UNIT_PX / face_px), 0)), len(sprite.levels) - 1)
    colour, mask = sprite.levels[level]
    ratio = mask.shape[1] / sprite.levels[0][1].shape[1]
    scale = face_px / UNIT_PX / ratio
    cos, sin = np.cos(np.deg2rad(degrees)) * scale, np.sin(np.deg2rad(degrees)) * scale
    turn = np.array([[cos, -sin], [sin, cos]])
    axis = np.array([sprite.origin[0], sprite.origin[1] + pivot * UNIT_PX]) * ratio
    shift = np.array([at[0], at[1] + pivot * face_px]) - turn @ axis
    corners = (turn @ np.array([[0, mask.shape[1], 0, mask.shape[1]], [0, 0, mask.shape[0], mask.shape[0]]])).T + shift
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int), (picture.shape[1], picture.shape[0]))
    if x0 >= x1 or y0 >= y1:
        return
    matrix = np.hstack([turn, (shift - (x0, y0))[:, None]])
    size = (int(x1 - x0), int(y1 - y0))
    patch = cv2.warpAffine(colour, matrix, size, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)
    below = picture[y0:y1, x0:x1]
    below[:] = (patch * PERSON_LIGHT + below * (1 - alpha)[..., None]).astype(np.uint8)
    ranks[y0:y1, x0:x1][alpha > 0.5] = rank


def _shadow(picture: Uint8, column: float, row: float, face_px: float) -> None:
    """Darken the floor below a person."""
    half = (round(1.9 * face_px), max(round(0.5 * face_px), 2))
    x0, y0 = round(column) - half[0], round(row) - half[1]
    y, x = np.ogrid[-1 : 1 : complex(2 * half[1]), -1 : 1 : complex(2 * half[0])]
    dark = (1 - 0.45 * np.clip(1 - x**2 - y**2, 0, 1)).astype(np.float32)
    top, left = max(-y0, 0), max(-x0, 0)
    below = picture[max(y0, 0) : max(y0 + 2 * half[1], 0), max(x0, 0) : max(x0 + 2 * half[0], 0)]
    part = dark[top : top + below.shape[0], left : left + below.shape[1]]
    below[:] = (below * part[..., None]).astype(np.uint8)
