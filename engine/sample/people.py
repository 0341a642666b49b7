"""The people of the sample clip: heads cut from photographs that come inside dependencies, on drawn bodies.

The photographs are ``t1`` of ``insightface.data`` (a group at a table) and ``skimage.data.astronaut`` (NASA, public domain),
which the extra ``sample`` installs.
Outlines, face boxes and head tilts were marked by hand on them. Everything is kept in units of the face's width, so that one
number, the face's width in the picture, says how large a person is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.errors import MissingRuntimeError

UNIT_PX = 96
"""Pixels of a face's width in a sprite, about what the photographs hold."""
HALF_WIDTH, UPPER_HEIGHT = 2.0, 6.8
"""Of the upper body, in face widths."""
CHIN, HIP, SOLE = 2.0, 6.0, 11.7
"""Below the upper edge of a person's picture, in face widths; the crown is near 0.4."""
LEG_HALF_WIDTH = 0.62
SATURATION = 0.75
"""Of the photographs' colours: they were lit more warmly than the hall."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person as marked on a photograph, in its pixels."""

    name: str
    photograph: Literal["t1", "astronaut"]
    box: tuple[int, int, int, int]
    """Face, x, y, width, height: hairline to chin."""
    tilt_degrees: float
    """Of the line through the eyes, clockwise."""
    outline: str
    """Head, neck and collar as ``x,y x,y ...``."""
    clothes_bgr: tuple[int, int, int]
    shoulder_half_width: float = 1.42
    """In face widths."""
    enrolment_crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    """x, y, width, height around this face and no other."""
    in_profile: bool = False
    """Seen from the side: no picture for a gallery."""


PEOPLE: tuple[Person, ...] = (
    Person(
        "person-a", "t1", (61, 268, 107, 129), -11.0,
        "20,300 25,275 35,255 55,243 75,236 95,233 115,237 140,248 160,270 175,300 185,335 188,370 187,392 160,398"
        " 134,415 124,446 100,455 70,458 48,452 28,428 22,380",
        (38, 40, 46), 1.3, (0, 215, 215, 225),
    ),
    Person(
        "person-b", "t1", (466, 267, 102, 145), 7.5,
        "466,262 470,250 480,235 500,222 530,218 560,220 585,230 603,250 607,275 600,310 592,330 588,345 574,367"
        " 556,390 572,405 580,430 560,452 520,462 480,455 440,440 418,408 432,376 456,358 465,350 464,330 468,300",
        (86, 80, 78), 1.5, (425, 195, 215, 265),
    ),
    Person(
        "person-c", "t1", (749, 352, 99, 123), 3.0,
        "748,330 750,314 765,300 790,292 815,290 840,300 860,320 872,340 874,365 871,384 872,398 895,408 903,440"
        " 890,478 850,494 815,502 786,490 758,480 712,474 708,458 736,434 750,424 747,395 748,370 750,345",
        (40, 34, 128), 1.5, (690, 270, 205, 245),
    ),
    Person(
        "person-d", "t1", (1126, 273, 95, 124), 0.0,
        "1125,330 1126,292 1140,265 1160,245 1175,236 1195,235 1220,245 1245,265 1258,290 1262,330 1265,380 1260,415"
        " 1245,429 1230,434 1224,462 1192,478 1158,462 1134,442 1125,420 1122,390",
        (52, 48, 46), 1.3, (1085, 210, 195, 250),
    ),
    Person(
        "person-e", "t1", (906, 58, 99, 144), -4.0,
        "884,52 900,46 920,25 945,8 975,2 1005,3 1030,18 1048,50 1055,85 1058,115 1056,140 1064,180 1066,212 1090,226"
        " 1082,250 1048,284 1010,262 975,240 948,222 960,208 950,196 945,180 930,166 916,153 922,140 918,125 908,112"
        " 910,95 905,74 892,66",
        (140, 150, 150), 1.5, (865, 0, 225, 232), in_profile=True,
    ),
    Person(
        "person-f", "t1", (267, 151, 105, 127), -18.0,
        "264,176 265,155 275,130 295,110 320,103 350,105 372,112 394,130 398,150 392,166 391,190 400,216 402,240"
        " 414,262 432,286 424,308 380,318 335,308 306,292 332,278 336,266 320,262 308,248 300,240 292,225 286,206"
        " 274,190 267,181",
        (34, 32, 36), 1.3, (240, 85, 200, 215),
    ),
    Person(
        "astronaut", "astronaut", (178, 63, 90, 113), 0.5,
        "153,98 153,85 158,55 175,35 200,20 235,14 265,22 285,40 297,65 300,92 291,113 277,128 268,134 262,152"
        " 256,170 288,190 304,222 304,243 332,256 346,285 352,325 340,335 190,338 36,335 46,285 66,262 100,242"
        " 118,232 113,205 125,172 150,155 186,148 180,136 172,124 160,114",
        (50, 88, 205), 1.7, (95, 0, 260, 260),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A picture with a soft mask, at several sizes, each half as large as the one before it, sharpest first."""

    levels: tuple[tuple[Float32, Float32], ...]
    """(premultiplied BGR (height, width, 3) 0 to 255, mask (height, width) 0 to 1) for each size."""
    origin: tuple[float, float]
    """The sprite's pixel (x, y) at level 0 that lies at (0, 0) of the person, in UNIT_PX."""


@lru_cache(maxsize=1)
def photographs() -> dict[str, Uint8]:
    """Return the two photographs as (height, width, 3) BGR.

    Raises:
        MissingRuntimeError: they are not installed.
    """
    try:
        from insightface.data import get_image
        from skimage.data import astronaut
    except ImportError as error:
        raise MissingRuntimeError(
            "the people of the clip are in photographs of other packages, which are not installed: "
            f"pip install 'facestream[sample]' ({error})"
        ) from error

    flier = astronaut()  # type: ignore[no-untyped-call]
    return {"t1": get_image("t1", use_cache=False), "astronaut": np.ascontiguousarray(flier[..., ::-1])}


def upper_body(person: Person, rng: np.random.Generator) -> Sprite:
    """Return head, drawn torso and arms; the face's box bottom is at (0, CHIN)."""
    size = (round(2 * HALF_WIDTH * UNIT_PX), round(UPPER_HEIGHT * UNIT_PX))
    colour, mask = _torso(person, size, rng)
    head, head_mask = _head(person, size)
    over = head_mask[..., None]
    return _sprite(head * over + colour * mask[..., None] * (1 - over), head_mask + mask * (1 - head_mask), (size[0] / 2, 0.0))


def leg(rng: np.random.Generator) -> Sprite:
    """Return one leg in dark cloth; its hip is at (0, 0) and its sole at (0, SOLE - HIP)."""
    width, height = round(2 * LEG_HALF_WIDTH * UNIT_PX), round((SOLE - HIP + 0.2) * UNIT_PX)
    tint = rng.uniform(28, 62) * rng.uniform(0.85, 1.15, 3)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    mask = (np.abs(x) < 0.92 - 0.38 * y).astype(np.float32)
    shoe = (y > 0.94) & (np.abs(x) < 0.7)
    mask = np.maximum(mask, shoe.astype(np.float32))
    light = (0.75 + 0.45 * np.sqrt(np.clip(1 - x**2, 0, 1))) * (1 - 0.25 * y) + _folds((height, width), rng, 0.05)
    colour = np.where(shoe[..., None], 26.0, tint * light[..., None])
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.6), np.float32)
    return _sprite((colour * soft[..., None]).astype(np.float32), soft, (width / 2, 0.08 * UNIT_PX))


def _head(person: Person, size: tuple[int, int]) -> tuple[Float32, Float32]:
    """Cut the head out, upright and scaled to UNIT_PX, on a canvas of ``size`` (width, height)."""
    picture = photographs()[person.photograph]
    x, y, width, height = person.box
    outline = np.array([[float(v) for v in point.split(",")] for point in person.outline.split()], np.float32)
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), 1.8)
    centre = (x + width / 2, y + height / 2)
    matrix = cv2.getRotationMatrix2D(centre, person.tilt_degrees, UNIT_PX / width)
    matrix[:, 2] += np.array([size[0] / 2 - centre[0], (CHIN - height / width / 2) * UNIT_PX - centre[1]])
    colour = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_LINEAR)
    fade = np.clip((3.6 - np.arange(size[1], dtype=np.float32)[:, None] / UNIT_PX) / 0.9, 0, 1)
    grey = colour.mean(2, keepdims=True, dtype=np.float32)
    return np.asarray(grey + SATURATION * (colour - grey), np.float32), np.asarray(alpha / 255 * fade, np.float32)


def _torso(person: Person, size: tuple[int, int], rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Draw shoulders, chest and arms with soft shading, folds and hands."""
    width, height = size
    s = person.shoulder_half_width
    right = [
        (0.3, 1.95),
        (0.42, 2.05),
        (0.66, 2.14),
        (s - 0.3, 2.3),
        (s - 0.08, 2.46),
        (s + 0.06, 2.9),
        (s + 0.2, 4.6),
        (s + 0.16, 6.1),
    ]
    inner = [(s - 0.2, 6.1), (s - 0.18, 4.6), (s - 0.3, 3.6), (s - 0.34, 5.0), (s - 0.28, 6.6)]
    half = np.array(right + inner, np.float32)
    shape = np.concatenate([half, (half * np.array([-1, 1], np.float32))[::-1]])
    pixels = (shape * UNIT_PX + np.array([width / 2, 0])) * 16
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(pixels).astype(np.int32)], 255, cv2.LINE_AA, 4)
    hands = np.zeros_like(mask)
    for side in (-1, 1):
        cv2.ellipse(hands, (round(width / 2 + side * (s + 0.02) * UNIT_PX), round(6.1 * UNIT_PX)), (17, 32), 0, 0, 360, 255, -1)
    x = np.linspace(-HALF_WIDTH, HALF_WIDTH, width, dtype=np.float32)[None, :]
    y = np.linspace(0, UPPER_HEIGHT, height, dtype=np.float32)[:, None]
    light = 0.66 + 0.42 * np.sqrt(np.clip(1 - (x / (s + 0.35)) ** 2, 0, 1)) - 0.05 * (y - 2)
    crease = np.exp(-(((np.abs(x) - (s - 0.24)) / 0.09) ** 2)) / (1 + np.exp((3.3 - y) * 6))
    light = light - 0.3 * crease + _folds((height, width), rng, 0.05)
    colour = np.array(person.clothes_bgr, np.float32) * light[..., None]
    skin = np.array([104, 138, 190], np.float32) * np.clip(light[..., None], 0.5, 1.0)
    soft = np.asarray(cv2.GaussianBlur(np.maximum(mask, hands), (0, 0), 1.6) / 255, np.float32)
    return np.asarray(np.clip(np.where(hands[..., None] > 0, skin, colour), 0, 255), np.float32), soft


def _folds(shape: tuple[int, int], rng: np.random.Generator, strength: float) -> Float32:
    """Return smooth random relief in two sizes, mostly along the body, of about ``strength``."""
    relief = np.zeros(shape, np.float32)
    for step in (1, 3):
        coarse = rng.standard_normal((shape[0] // (30 * step) + 2, shape[1] // (13 * step) + 2)).astype(np.float32)
        relief += cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return strength * relief


def _sprite(premultiplied: Float32, mask: Float32, origin: tuple[float, float]) -> Sprite:
    levels = [(np.ascontiguousarray(premultiplied, np.float32), np.ascontiguousarray(mask, np.float32))]
    while min(levels[-1][1].shape) > 16 and len(levels) < 4:
        half = (levels[-1][1].shape[1] // 2, levels[-1][1].shape[0] // 2)
        colour, alpha = (np.asarray(cv2.resize(a, half, interpolation=cv2.INTER_AREA), np.float32) for a in levels[-1])
        levels.append((colour, alpha))
    return Sprite(tuple(levels), origin)
