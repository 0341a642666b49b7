"""How good one face of one frame is, from its box, its landmarks and its luma.

    score = max(0.001, size² / (size² + 16²) · sharpness² · frontal · detection_score · (1 - 0.9 · combed))

- ``size`` is the geometric mean of the box's sides in pixels: the term is 0.36 at 12 px, 0.5 at 16 px, 0.9 at 48 px, since
  embeddings gain little beyond.
- ``sharpness``: Tenengrad (Krotkov, "Focusing", 1987: mean squared Sobel gradient) of the face at a scale where its size is
  32 px, after the lighting is taken out (a Gaussian of an eighth of the face is subtracted), over the variance of what is
  left. The quotient does not depend on brightness and contrast, and hardly on the size: sharp portraits have 0.40 (median
  of 300, reduced to 100 px; 0.38 at 34 px, 0.29 at 16 px), blurred by 3 % of their size 0.28, by 8 % 0.14, and beyond
  recognition 0.1. Sharpness maps 0.08 to 0 and 0.48 to 1, linearly.
- ``frontal`` is the cosine of the yaw. The nose tip stands about half the distance of the eyes in front of them, so it
  moves sideways by ``sin(yaw) / 2`` of that distance while the distance shrinks by ``cos(yaw)``.
- ``combed`` is how sure it is that the lines are of two moments, see ``engine.crop.combs``.

The score grows (never falls) with each of the first four terms, and is never 0: a track of poor faces alone can still be
fused. A face of a damaged picture has 0.00001, below all others.
Half size and exponent were chosen on 70 people of LFW with six pictures each of 12 to 100 px and random blur, light and
noise: fused by this weight, dlib's embeddings put the right person first for 74 %, by equal weights for 53 %, and the rank
correlation of the weight with the margin over impostors is 0.63 (by size alone 0.19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32, Planes, Uint8
from engine.crop.combs import combed

CANONICAL_PX = 32
"""Face size at which sharpness is measured: larger faces are reduced by area, smaller ones enlarged."""

_HALF_SIZE_PX = 16.0
_LOWEST_SCORE = 0.001
_DAMAGED_SCORE = 0.00001
_COMBED_LOSS = 0.9
"""Of the score: an enhancer sharpens combs, and an embedder sees them."""
_NOISE_VARIANCE = 4.0
"""Of a camera's noise, in grey levels squared: a flat patch has contrast far below it and must not count as sharp."""
_BLURRED, _SHARP = 0.08, 0.48
_UNKNOWN_FRONTAL = 0.5


def assess(
    planes: Planes,
    box: Float32 | Sequence[float],
    landmarks: Float32 | None,
    detection_score: float,
    *,
    damaged: bool = False,
) -> Quality:
    """Rate one face.

    Args:
        planes: the picture.
        box: x, y, width, height in its pixels; may reach over its border, what lies outside is not looked at.
        landmarks: (5, 2) as in ``Detections.landmarks``; None or with NaN where unknown.
        detection_score: 0 to 1.
        damaged: the decoder had to make up parts of the picture.
    """
    x, y, width, height = (float(value) for value in box)
    size_px = math.sqrt(max(width, 0.0) * max(height, 0.0))
    face = _inside(planes.y, x, y, width, height)
    sharp = sharpness(face, size_px)
    front = frontality(landmarks)
    score = _DAMAGED_SCORE if damaged else combine(size_px, sharp, front, detection_score, combed(face))
    blocks = planes.blocks
    qp = None if blocks is None else blocks.qp_under((x, y, width, height))
    return Quality(size_px, sharp, front, score, damaged, qp, qp is not None and blocks is not None and blocks.is_whole)


def combine(size_px: float, sharpness: float, frontal: float, detection_score: float, combed: float = 0.0) -> float:
    """Return the score, 0.001 to 1: the weight of a face in the fusion over its track."""
    size_term = size_px**2 / (size_px**2 + _HALF_SIZE_PX**2)
    whole = 1.0 - _COMBED_LOSS * combed
    return max(_LOWEST_SCORE, size_term * sharpness**2 * frontal * min(max(detection_score, 0.0), 1.0) * whole)


def is_only_blurred(worse: Quality, better: Quality) -> bool:
    """Whether a face would have been as good as another one had it been as sharp."""
    return worse.sharpness < better.sharpness and worse.score * better.sharpness**2 >= better.score * worse.sharpness**2


def sharpness(face: Uint8, size_px: float) -> float:
    """Return 0 (blurred, flat or empty) to 1.

    Args:
        face: luma of the face box, (height, width).
        size_px: size of the whole face, of which ``face`` may be the visible part.
    """
    height, width = face.shape
    if min(height, width) < 4 or size_px < 4:
        return 0.0
    scale = CANONICAL_PX / size_px
    target = (max(4, round(width * scale)), max(4, round(height * scale)))
    canonical = cv2.resize(face, target, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(np.float32)
    detail = canonical - cv2.GaussianBlur(canonical, (0, 0), CANONICAL_PX / 8)
    gradients = (cv2.Sobel(detail, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(detail, cv2.CV_32F, 0, 1, scale=1 / 8))
    energy = sum(float(cv2.norm(gradient, cv2.NORM_L2SQR)) for gradient in gradients) / detail.size
    contrast = cv2.norm(detail, cv2.NORM_L2SQR) / detail.size
    quotient = energy / (contrast + _NOISE_VARIANCE)
    return min(1.0, max(0.0, (quotient - _BLURRED) / (_SHARP - _BLURRED)))


def frontality(landmarks: Float32 | None) -> float:
    """Return the cosine of the yaw, 1 into the camera and 0 in profile; 0.5 where landmarks are missing or tell nothing.

    The line from the middle of the eyes to the middle of the mouth is the upright: it keeps its length when the head turns,
    and it makes the measure independent of roll.
    """
    if landmarks is None or not np.isfinite(landmarks).all():
        return _UNKNOWN_FRONTAL
    (ax, ay), (bx, by), (nx, ny), (cx, cy), (dx, dy) = np.asarray(landmarks, np.float64).tolist()
    eyes_x, eyes_y = (ax + bx) / 2, (ay + by) / 2
    up_x, up_y = (cx + dx) / 2 - eyes_x, (cy + dy) / 2 - eyes_y
    length = math.hypot(up_x, up_y)
    if length < 1e-6:
        return _UNKNOWN_FRONTAL
    side_x, side_y = up_y / length, -up_x / length
    eye_distance = (bx - ax) * side_x + (by - ay) * side_y
    nose_offset = abs((nx - eyes_x) * side_x + (ny - eyes_y) * side_y)
    if eye_distance <= 0:
        return 0.0
    return float(eye_distance / math.hypot(eye_distance, 2 * nose_offset))


def _inside(luma: Uint8, x: float, y: float, width: float, height: float) -> Uint8:
    """Return the part of a box that lies in the picture, without a copy; empty where there is none."""
    if not all(map(math.isfinite, (x, y, width, height))):
        return luma[:0, :0]
    rows, columns = luma.shape
    left, top = min(max(0, round(x)), columns), min(max(0, round(y)), rows)
    right, bottom = max(left, min(columns, round(x + width))), max(top, min(rows, round(y + height)))
    return luma[top:bottom, left:right]
