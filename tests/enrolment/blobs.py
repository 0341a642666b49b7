"""Drawn faces, and a detector that finds them: red, with a blue forehead, and only at the sizes that it is told to know."""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Detections
from engine.contracts.profile import ONE
from engine.pictures.colour import bgr_from_planes


def draw(picture, x, y, side, red=255):
    """Draw an upright face; what lies outside is cut off."""
    picture[max(0, y) : y + side, max(0, x) : x + side] = (0, 0, red)
    picture[max(0, y) : max(0, y + side // 3), max(0, x) : x + side] = (255, 0, red // 2)
    return picture


def empty(height=400, width=600):
    return np.full((height, width, 3), 90, np.uint8)


class BlobDetector:
    """Sees red areas of ``sizes`` pixels; those with their forehead up score 0.9, on their head 0.6, on their side nothing."""

    name = "blobs"
    model_sha256 = licence = runtime = ""
    profile, min_score, sure_score = ONE, 0.5, 0.5

    def __init__(self, sizes=(20, 200), landmarks=True):
        self.sizes = sizes
        self.landmarks = landmarks
        self.pictures = self.largest_px = 0

    def detect(self, pictures):
        self.pictures += len(pictures)
        self.largest_px = max([self.largest_px, *(picture.y.size for picture in pictures)])
        return [self._faces(bgr_from_planes(picture)) for picture in pictures]

    def close(self):
        pass

    def _faces(self, bgr):
        face = (cv2.subtract(bgr[:, :, 2], bgr[:, :, 1]) > 60).astype(np.uint8)
        found = []
        for x, y, width, height, _ in cv2.connectedComponentsWithStats(face)[2][1:]:
            blue = bgr[y : y + height, x : x + width, 0] > 150
            third = max(1, height // 3)
            if not (self.sizes[0] <= min(width, height) and max(width, height) <= self.sizes[1] and blue.any()):
                continue
            up, down = blue[:third].mean(), blue[-third:].mean()
            if max(up, down) > 0.6:
                found.append((x, y, width, height, 0.9 if up > down else 0.6))
        boxes = np.array([face[:4] for face in found], np.float32).reshape(-1, 4)
        places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
        points = boxes[:, None, :2] + places * boxes[:, None, 2:]
        points = points if self.landmarks else np.full_like(points, np.nan)
        return Detections(boxes, np.array([face[4] for face in found], np.float32), points.astype(np.float32))
