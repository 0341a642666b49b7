"""From YuNet's raw outputs to faces: decoding of its strides and non-maximum suppression, as OpenCV's FaceDetectorYN does it.

YuNet (Wu, Peng and Yu 2023) has one anchor point per cell of grids at strides 8, 16 and 32, and four outputs for each grid:
``cls`` and ``obj`` (probabilities), ``bbox`` (centre offset and log size in strides), ``kps`` (five points in strides).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Detections, Float32

STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)
IOU_THRESHOLD = 0.3
TOP_K = 5000


def decode(outputs: Mapping[str, NDArray[Any]], width_px: int, min_score: float) -> Detections:
    """Return the faces of one picture, best first, before suppression.

    Args:
        outputs: by name, each (1, cells, values) or (cells, values) float32; ``score_S`` instead of ``cls_S`` and ``obj_S`` is
            the score itself.
        width_px: of the padded input, a multiple of 32; cells are counted row by row.
        min_score: cells with ``sqrt(cls * obj)`` at or below it are left out before anything else is computed.
    """
    boxes, scores, landmarks = [], [], []
    for stride in STRIDES:
        score = _score(outputs, stride)
        found = np.flatnonzero(score > min_score)
        row, column = np.divmod(found, width_px // stride)
        cell = np.stack([column, row], axis=1).astype(np.float32)
        box = outputs[f"bbox_{stride}"].reshape(-1, 4)[found]
        size = np.exp(box[:, 2:]) * stride
        boxes.append(np.concatenate([(cell + box[:, :2]) * stride - size / 2, size], axis=1))
        points = outputs[f"kps_{stride}"].reshape(-1, 5, 2)[found]
        landmarks.append((points + cell[:, None]) * stride)
        scores.append(score[found])
    score = np.concatenate(scores)
    best = np.argsort(-score, kind="stable")
    return Detections(
        np.concatenate(boxes)[best].astype(np.float32),
        score[best].astype(np.float32),
        np.concatenate(landmarks)[best].astype(np.float32),
    )


def _score(outputs: Mapping[str, NDArray[Any]], stride: int) -> Float32:
    if (own := outputs.get(f"score_{stride}")) is not None:
        return np.asarray(own.reshape(-1), np.float32)
    cls, obj = (np.clip(outputs[f"{kind}_{stride}"].reshape(-1), 0.0, 1.0) for kind in ("cls", "obj"))
    return np.asarray(np.sqrt(cls * obj), np.float32)


def suppress(faces: Detections, iou_threshold: float = IOU_THRESHOLD, top_k: int = TOP_K) -> Detections:
    """Keep, best first, each face that overlaps no better kept one by more than ``iou_threshold``.

    Boxes are compared after truncation to whole pixels, as OpenCV does.
    """
    order = np.arange(min(len(faces), top_k))
    boxes = np.trunc(faces.boxes[order].astype(np.float64))
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        order = rest[_overlap(boxes[best], boxes[rest]) <= np.float32(iou_threshold)]
    return faces.only(kept)


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> Float32:
    """Return the IoU of one (4,) and N (N, 4) boxes, rounded as OpenCV rounds it; two boxes without area count as one."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = box[2:].prod() + others[:, 2:].prod(axis=1) - shared
    distance = 1 - np.divide(shared, union, out=np.ones_like(union), where=union > 0)
    return np.asarray(np.float32(1) - distance.astype(np.float32))
