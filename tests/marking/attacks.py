"""What others do to pictures, and how often a picture without the mark may look as if it had one."""

from __future__ import annotations

import math

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from engine.marking import THRESHOLD
from engine.marking.imperceptible import _CONTRASTS, _FRAMES


def as_jpeg(picture: Uint8, quality: int) -> Uint8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR))


def scaled(picture: Uint8, factor: float, method: int = cv2.INTER_AREA) -> Uint8:
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (round(width * factor), round(height * factor)), interpolation=method))


def false_alarm_bound(score: float = THRESHOLD) -> float:
    """Return the share of keys, at most, with which a given unmarked picture scores so much."""
    ways = 2 * len(_CONTRASTS) * len(_FRAMES) ** 2
    return min(1.0, ways * math.exp(-(score**2) / 2))
