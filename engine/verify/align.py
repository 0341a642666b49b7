"""Alignment: turns a face anywhere in a picture into the upright square that an embedder was trained on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import ARCFACE_TEMPLATE_112, Float32, Uint8

Points = NDArray[np.floating]


def similarity_transform(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the (2, 3) matrix of rotation, scale and shift that brings ``source`` closest to ``target``.

    Least squares after Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991);
    never a reflection.

    Args:
        source: (N, 2) points as x, y, at least two different ones.
        target: (N, 2) where they should be.

    Raises:
        ValueError: the shapes differ, a point is not finite, or all source points are the same.
    """
    source = np.asarray(source, np.float64)
    target = np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(f"both point sets must be (N, 2), got {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("every point must be finite")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    spread = float((source_centred**2).sum())
    if spread < 1e-12:
        raise ValueError("all points are the same: no scale or rotation follows from them")
    left, strengths, right = np.linalg.svd(target_centred.T @ source_centred)
    keep = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    rotation = (left * keep) @ right
    scale = float(strengths @ keep) / spread
    linear = scale * rotation
    return np.column_stack([linear, target_mean - linear @ source_mean])


def template(size_px: int) -> Float32:
    """Return ArcFace's five points for a square of another side, as InsightFace's ``norm_crop`` scales them: (5, 2)."""
    return ARCFACE_TEMPLATE_112 * np.float32(size_px / 112)


def align(picture: Uint8, landmarks: Points | None, size_px: int = 112, places: Points | None = None) -> Uint8:
    """Return the face upright in a square: (size_px, size_px, 3) uint8 BGR, black where the picture ends.

    Equal to InsightFace's ``norm_crop``, or with dlib's places to its ``extract_image_chip``, unless the face is more than
    twice as large as the square: then the picture is halved first, so that detail does not turn into noise.

    Args:
        picture: (height, width, 3) uint8 BGR.
        landmarks: (5, 2) in the picture's pixels; None or not usable (not finite, all the same): the centred square is taken.
        size_px: side of the result.
        places: positions of the landmarks in the result, (5, 2) pixels; None: ArcFace's.
    """
    if not usable(landmarks):
        return centred_square(picture, size_px)
    points = np.asarray(landmarks, np.float64)
    places = template(size_px) if places is None else places
    matrix = similarity_transform(points, places)
    while np.hypot(matrix[0, 0], matrix[1, 0]) < 0.5 and min(picture.shape[:2]) >= 4:
        height, width = picture.shape[:2]
        picture = np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
        factor = np.array([picture.shape[1] / width, picture.shape[0] / height])
        points = (points + 0.5) * factor - 0.5
        matrix = similarity_transform(points, places)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0)), np.uint8
    )


def eyes_px(picture: Uint8, landmarks: Points | None, size_px: int, places: Points | None = None) -> float:
    """Return the distance of the eyes in the picture, in its pixels, derived from all five landmarks as in ``align``.

    So a turned head does not count as a small one, as it would by the distance of its eyes alone. Arguments: those of
    ``align``.
    """
    places = template(size_px) if places is None else places
    apart = float(np.linalg.norm(places[1] - places[0]))
    if not usable(landmarks):
        return float(apart * min(picture.shape[:2]) / size_px)
    matrix = similarity_transform(np.asarray(landmarks, np.float64), places)
    return apart / float(np.hypot(matrix[0, 0], matrix[1, 0]))


def usable(landmarks: Points | None) -> bool:
    """Whether the landmarks define a similarity transform: five finite points that are not all the same."""
    if landmarks is None or landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        return False
    return bool(np.ptp(landmarks, axis=0).max() > 1e-3)


def centred_square(picture: Uint8, size_px: int) -> Uint8:
    """Return the largest centred square of the picture, resized to ``size_px``."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=how), np.uint8)
