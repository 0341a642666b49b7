"""A photograph of one face, to try with it whether detectors and embedders work: an astronaut, by NASA, public domain."""

from __future__ import annotations

import importlib.resources

import cv2
import numpy as np

from engine.contracts.frames import Uint8


def known_face() -> Uint8:
    """Return the photograph, (512, 512, 3) BGR; the face is 90 px wide, its box begins at (178, 63)."""
    data = importlib.resources.files("engine.sample").joinpath("astronaut.jpg").read_bytes()
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
