"""Covers faces with masks, caps, glasses, hands and phones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from trt_build.data.degradation import Random
from trt_build.measures.resample import to_levels

_LEAST_COVERED_PX = 12


def cover_faces(canvas: Float32, boxes: Float32, points: Float32, share: float, rng: Random) -> Float32:
    """Add a mask, a cap, glasses, a hand or a phone to a share of the faces whose landmarks are known."""
    image = to_levels(canvas)
    for box, five in zip(boxes, points, strict=True):
        if box[2] >= _LEAST_COVERED_PX and np.isfinite(five).all() and rng.random() < share:
            _COVERS[rng.integers(len(_COVERS))](image, box.astype(np.float64), five.astype(np.float64), rng)
    return image.astype(np.float32)


def _put_mask(image: Uint8, box: NDArray[np.float64], points: NDArray[np.float64], rng: Random) -> None:
    """Cloth from the bridge of the nose to the chin."""
    eyes, nose, mouth = points[:2].mean(axis=0), points[2], points[3:].mean(axis=0)
    down = mouth - eyes
    across = np.array([down[1], -down[0]]) / max(1e-3, float(np.linalg.norm(down)))
    half = box[2] * rng.uniform(0.42, 0.55)
    top = eyes + (nose - eyes) * rng.uniform(0.35, 0.8)
    low = mouth + 0.5 * down * rng.uniform(0.7, 1.1)
    outline = [top - across * half * 0.95 + 0.1 * down, top - 0.05 * down, top + across * half * 0.95 + 0.1 * down]
    outline += [
        mouth + across * half * 0.85,
        low + across * half * 0.4,
        low - across * half * 0.4,
        mouth - across * half * 0.85,
    ]
    tone = float(rng.choice([rng.uniform(10, 70), rng.uniform(150, 250), rng.uniform(10, 250)]))
    cv2.fillPoly(image, [np.round(outline).astype(np.int32)], tone, cv2.LINE_AA)
    for share in (0.3, 0.6) if rng.random() < 0.5 else ():
        left, right = (
            np.round(top + share * (low - top) + sign * across * half * 0.7).astype(int).tolist() for sign in (-1, 1)
        )
        cv2.line(image, left, right, tone * 0.85, 1, cv2.LINE_AA)


def _put_cap(image: Uint8, box: NDArray[np.float64], points: NDArray[np.float64], rng: Random) -> None:
    """A dome over the forehead, with or without a peak."""
    brow = points[:2].mean(axis=0) - (0, box[3] * rng.uniform(0.1, 0.2))
    axes = (max(1, int(0.58 * box[2])), max(1, int(rng.uniform(0.3, 0.45) * box[3])))
    tone, middle = float(rng.uniform(5, 250)), (int(brow[0]), int(brow[1]))
    cv2.ellipse(image, middle, axes, 0, 180, 360, tone, -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        peak = (max(1, int(0.55 * box[2])), max(1, int(rng.uniform(0.05, 0.13) * box[3])))
        cv2.ellipse(image, middle, peak, 0, 0, 360, float(np.clip(tone * rng.uniform(0.5, 1.1), 0, 255)), -1, cv2.LINE_AA)


def _put_glasses(image: Uint8, box: NDArray[np.float64], points: NDArray[np.float64], rng: Random) -> None:
    """Two lenses, dark or clear, and a bridge."""
    apart = float(np.linalg.norm(points[1] - points[0]))
    axes = (max(1, int(apart * rng.uniform(0.28, 0.42))), max(1, int(apart * rng.uniform(0.2, 0.34))))
    tone, thick = float(rng.uniform(5, 60)), -1 if rng.random() < 0.6 else max(1, int(0.05 * apart))
    right, left = (tuple(int(value) for value in eye) for eye in points[:2])
    cv2.line(image, right, left, tone, max(1, int(0.06 * apart)), cv2.LINE_AA)
    for eye in (right, left):
        cv2.ellipse(image, eye, axes, 0, 0, 360, tone, thick, cv2.LINE_AA)


def _put_hand(image: Uint8, box: NDArray[np.float64], points: NDArray[np.float64], rng: Random) -> None:
    """Fingers and a palm, of the face's own tone, over the mouth, the chin or a cheek."""
    at = points[rng.integers(2, 5)] + rng.normal(0, 0.12, 2) * box[2:]
    angle, long = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.6) * box[2]
    thick = max(1, int(rng.uniform(0.1, 0.15) * box[2]))
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    tone = float(np.clip(_tone(image, box) * rng.uniform(0.75, 1.25), 5, 250))
    palm = at - along * long
    for number in range(int(rng.integers(2, 5))):
        side = across * thick * 1.15 * (number - 1.5)
        ends = (at + side + along * rng.uniform(-0.1, 0.1) * long, palm + side)
        first, last = (tuple(np.round(end).astype(int).tolist()) for end in ends)
        cv2.line(image, first, last, tone * 0.8, thick + max(1, thick // 3), cv2.LINE_AA)
        cv2.line(image, first, last, tone, thick, cv2.LINE_AA)
    middle = np.round(palm - 0.4 * along * long).astype(int).tolist()
    cv2.ellipse(image, middle, (max(1, int(0.7 * long)), max(1, 2 * thick)), np.degrees(angle), 0, 360, tone, -1, cv2.LINE_AA)


def _put_phone(image: Uint8, box: NDArray[np.float64], points: NDArray[np.float64], rng: Random) -> None:
    """A dark or bright slab at an ear, held in front of the cheek."""
    eye, mouth = ((points[0], points[3]), (points[1], points[4]))[rng.integers(2)]
    outward = np.sign((eye + mouth)[0] / 2 - points[2, 0]) or 1.0
    middle = (eye + mouth) / 2 + (outward * rng.uniform(0.05, 0.3) * box[2], rng.uniform(-0.1, 0.15) * box[3])
    size = (rng.uniform(0.18, 0.34) * box[2], rng.uniform(0.5, 0.9) * box[3])
    corners = cv2.boxPoints((middle.tolist(), size, float(rng.uniform(-35, 35))))
    tone = float(rng.choice([rng.uniform(5, 60), rng.uniform(150, 250)]))
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], tone, cv2.LINE_AA)


def _tone(image: Uint8, box: NDArray[np.float64]) -> float:
    """Return the mean luma within a box; 128 if the box is outside the picture."""
    left, top = np.maximum(box[:2], 0).astype(int)
    right, bottom = np.maximum(box[:2] + box[2:], 0).astype(int)
    inside = image[top:bottom, left:right]
    return float(inside.mean()) if inside.size else 128.0


_COVERS = (_put_mask, _put_mask, _put_cap, _put_glasses, _put_hand, _put_hand, _put_phone)
