"""Material and recipes small enough for a test: drawn faces, photographs without one."""

from __future__ import annotations

import cv2
import numpy as np

from trt_build.detector.material import Material
from trt_build.detector.recipe import DetectorRecipe, MaterialSpec, NetworkSpec, SceneSpec
from trt_build.detector.teacher import Labelled
from trt_build.train.recipe import BudgetSpec

POINTS = np.array([[52, 60], [92, 60], [72, 84], [57, 102], [87, 102]], np.float32)
"""Of the drawn face, in the order of ``Detections.landmarks``."""
BOX = np.array([36, 30, 72, 92], np.float32)


def drawn_face(tone: float = 180) -> Labelled:
    """An oval with two eyes, a nose and a mouth, 144 px."""
    image = np.full((144, 144), 70, np.float32)
    cv2.ellipse(image, (72, 76), (36, 46), 0, 0, 360, tone, -1, cv2.LINE_AA)
    for x, y in POINTS[:3].astype(int):
        cv2.circle(image, (int(x), int(y)), 6, tone / 4, -1, cv2.LINE_AA)
    cv2.line(image, (57, 102), (87, 102), tone / 4, 5, cv2.LINE_AA)
    return Labelled(image.astype(np.uint8), BOX[None], POINTS[None])


def material() -> Material:
    """A few faces, one background, no footage."""
    ramp = np.tile(np.linspace(20, 220, 400, dtype=np.uint8), (360, 1))
    return Material([drawn_face(tone) for tone in (150, 190, 220)], [ramp], [])


def recipe(**changes: object) -> DetectorRecipe:
    """A network of a few thousand numbers on 96-px scenes."""
    options: dict[str, object] = {
        "name": "tiny",
        "material": MaterialSpec(teacher="", faces="", validation_faces="", backgrounds="", footage=(), validation_footage=()),
        "budget": BudgetSpec(steps=3),
        "network": NetworkSpec(stem=(4, 8), widths=(16, 16, 16), depths=(1, 1, 1), neck=16),
        "scene": SceneSpec(side_px=96, faces=1, smallest_px=30, largest_px=60),
        "batch": 4,
        "threads": 1,
        "loaders": 0,
    }
    return DetectorRecipe(**(options | changes))
