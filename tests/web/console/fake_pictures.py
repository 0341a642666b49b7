"""Pictures for the console's tests: faces of the sample's people, and what a camera shows."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from engine.sample.people import PEOPLE, photographs


def jpeg(picture: np.ndarray, quality: int = 88) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


@lru_cache(maxsize=512)
def face(who: int, side_px: int) -> np.ndarray:
    """Return the head of one of the people, at a size as a camera would see it."""
    person = PEOPLE[who % len(PEOPLE)]
    x, y, width, height = person.box
    side = round(1.5 * max(width, height))
    left, top = max(0, x + width // 2 - side // 2), max(0, y + height // 2 - side // 2)
    head = photographs()[person.photograph][top : top + side, left : left + side]
    return cv2.resize(head, (side_px, side_px), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=512)
def original(who: int, side_px: int) -> bytes:
    return jpeg(face(who, side_px))


@lru_cache(maxsize=512)
def enhanced(who: int, side_px: int) -> bytes:
    """Return it four times as large, a little sharper than the original enlarged."""
    mixed = cv2.addWeighted(face(who, 2 * side_px), 1.0, face(who, 2 * side_px), 0.0, 0)
    return jpeg(cv2.resize(mixed, (4 * side_px, 4 * side_px), interpolation=cv2.INTER_CUBIC))


@lru_cache(maxsize=512)
def scene(number: int, who: tuple[int, ...] = (), size: tuple[int, int] = (480, 270)) -> bytes:
    """Return a hall with people's faces in it, each at the place of ``box_of``."""
    width, height = size
    rows = np.linspace(0, 1, height)[:, None]
    columns = np.linspace(-1, 1, width)[None, :]
    light = 120 + 60 * np.cos(2.2 * columns) - 50 * rows + 8 * np.sin(number + 14 * columns)
    floor = np.where((rows > 0.55) & (np.abs(np.sin(12 * columns / (rows + 0.05))) > 0.97), 25, 0)
    tint = np.array([[1.0, 0.96, 0.88], [0.9, 1.0, 0.95], [0.95, 0.95, 1.0]])[number % 3]
    picture = np.clip((light - floor)[..., None] * tint, 0, 255).astype(np.uint8)
    for place, one in enumerate(who):
        x, y, side, _ = (round(value / 4) for value in box_of(place))
        picture[y : y + side, x : x + side] = face(one, side)
    return jpeg(picture, 80)


def box_of(place: int) -> tuple[float, float, float, float]:
    """Return where on a picture of 1920 x 1080 the face at a place is."""
    return 240.0 + 480 * place, 300.0 + 80 * (place % 2), 240.0, 240.0
