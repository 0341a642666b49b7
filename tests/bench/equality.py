"""Whether the pipeline and the plain loop found and enhanced the same faces."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from tests.bench.plain_loop import PlainResult
from tests.e2e.truth import iou


def compare_outputs(plain: PlainResult, directory: Path) -> dict[str, float]:
    """Match faces by frame and overlap, and compare the pictures of those the loop kept.

    The loop knows no tracks, so it also has the faces that no second one confirms and the first of each track.

    Returns:
        ``faces_plain``, ``faces_facestream``, ``found_at_iou_0.5`` and ``_0.9`` (share of facestream's faces that the loop has
        too), ``enhanced_psnr_db`` (median over the enhanced pictures of both).
    """
    lines = [json.loads(line) for line in (directory / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    by_frame = defaultdict(list)
    for index, (frame, box) in enumerate(plain.boxes):
        by_frame[frame].append((index, box))
    best = [
        max(((iou(box, line["box"]), index) for index, box in by_frame[line["frame_index"]]), default=(0, 0)) for line in lines
    ]
    ratios = [
        _psnr(plain.enhanced[index], cv2.imread(str(directory / line["files"]["enhanced"])))
        for line, (overlap, index) in zip(lines, best, strict=True)
        if overlap >= 0.9 and index < len(plain.enhanced) and "enhanced" in line["files"]
    ]
    return {
        "faces_plain": len(plain.boxes),
        "faces_facestream": len(lines),
        "found_at_iou_0.5": float(np.mean([overlap >= 0.5 for overlap, _ in best])),
        "found_at_iou_0.9": float(np.mean([overlap >= 0.9 for overlap, _ in best])),
        "enhanced_psnr_db": float(np.median(ratios)) if ratios else float("nan"),
    }


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Of what both crops show: a corner may differ by the one source pixel (four here) that makes ours even."""
    height, width = min(a.shape[0], b.shape[0]) - 4, min(a.shape[1], b.shape[1]) - 4
    shifts = [(dy, dx) for dy in (0, 4) for dx in (0, 4)]
    return max(
        cv2.PSNR(a[ay : ay + height, ax : ax + width], b[by : by + height, bx : bx + width])
        for ay, ax in shifts
        for by, bx in shifts
    )
