"""Whether the pipeline and the plain loop found and enhanced the same faces."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from tests.bench.plain_loop import PlainResult


def compare_outputs(plain: PlainResult, directory: Path) -> dict[str, float]:
    """Match faces by frame and overlap (IoU >= 0.9), and compare the pictures of those the loop kept.

    Returns:
        ``faces_plain``, ``faces_facestream``, ``matched`` (share of the larger number), ``enhanced_psnr_db`` (median).
    """
    lines = [json.loads(line) for line in (directory / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    by_frame = defaultdict(list)
    for line in lines:
        by_frame[line["frame_index"]].append(line)
    pairs = [(index, _best(box, by_frame[frame])) for index, (frame, box) in enumerate(plain.boxes)]
    matched = [(index, line) for index, line in pairs if line is not None]
    ratios = [
        _psnr(plain.enhanced[index], cv2.imread(str(directory / line["files"]["enhanced"])))
        for index, line in matched
        if index < len(plain.enhanced)
    ]
    return {
        "faces_plain": len(plain.boxes),
        "faces_facestream": len(lines),
        "matched": len(matched) / max(len(plain.boxes), len(lines), 1),
        "enhanced_psnr_db": float(np.median(ratios)) if ratios else float("nan"),
    }


def _best(box: tuple[float, float, float, float], lines: list[dict]) -> dict | None:
    overlaps = [(_iou(box, line["box"]), line) for line in lines]
    best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= 0.9 else None


def _iou(a, b) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Of what both crops show: a corner may differ by the one source pixel (four here) that makes ours even."""
    height, width = min(a.shape[0], b.shape[0]) - 4, min(a.shape[1], b.shape[1]) - 4
    shifts = [(dy, dx) for dy in (0, 4) for dx in (0, 4)]
    return max(
        cv2.PSNR(a[ay : ay + height, ax : ax + width], b[by : by + height, bx : bx + width])
        for ay, ax in shifts
        for by, bx in shifts
    )
