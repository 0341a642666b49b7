"""Finds faces: boxes, scores and five landmarks of each, in the pixels of the source."""

from engine.detect.catalog import open_detector
from engine.detect.detector import Detector

__all__ = ["Detector", "open_detector"]
