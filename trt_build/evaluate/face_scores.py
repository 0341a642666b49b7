"""Faces protocol: PSNR and SSIM of a generator and of interpolation on the fixed sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from trt_build.evaluate.bootstrap import ROUNDS, Interval, face_weights, interval, weighted_mean
from trt_build.evaluate.face_sets import Enlarge, FaceSet, Score, build_set, score
from trt_build.evaluate.metrics import Luma8, bicubic, psnr
from trt_build.train.faces import Faces

HR_PX = 128
SETS = ("clean", "surveillance", "h264")


@dataclass(frozen=True)
class Row:
    """One method on one set; gains are over OpenCV bicubic, None for bicubic itself."""

    faces: str
    method: str
    psnr: float
    ssim: float
    psnr_gain: Interval | None
    ssim_gain: Interval | None
    lr_consistency_db: float
    """PSNR of the result, shrunk by area, against the input: tells on the clean set only."""


def lanczos(image: Luma8, scale: int) -> Luma8:
    """OpenCV's INTER_LANCZOS4: on clean faces the best plain interpolation."""
    height, width = image.shape
    size = (width * scale, height * scale)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4), dtype=np.uint8)


def each(method: Callable[[Luma8, int], Luma8], scale: int) -> Enlarge:
    """A method for one picture, applied to a stack."""
    return lambda faces: np.stack([method(face, scale) for face in faces])


def lr_consistency(enlarged: Luma8, low: Luma8) -> float:
    """Mean PSNR (dB) of the enlarged faces, shrunk back by area, against what went in."""
    size = (low.shape[2], low.shape[1])
    back = (np.asarray(cv2.resize(face, size, interpolation=cv2.INTER_AREA), dtype=np.uint8) for face in enlarged)
    values = [psnr(small, face, 0) for small, face in zip(back, low, strict=True)]
    return float(np.mean([min(value, 100.0) for value in values]))


def measure_faces(faces: Faces, enlarge: Enlarge, scale: int, seed: int, rounds: int = ROUNDS) -> list[Row]:
    """All sets and methods, gains with intervals from a bootstrap over identities."""
    weights = face_weights(faces.identities(), rounds, seed)
    methods: dict[str, Enlarge] = {
        "bicubic": each(bicubic, scale),
        "lanczos4": each(lanczos, scale),
        "network": enlarge,
    }
    rows = []
    for kind in SETS:
        pairs = build_set(kind, faces, HR_PX, scale, seed)
        base: Score | None = None
        for name, method in methods.items():
            enlarged = method(pairs.low)
            result = score(enlarged, pairs.high, scale)
            gains = (None, None) if base is None else _gains(result, base, weights)
            base = base or result
            rows.append(_row(pairs, name, result, gains, enlarged))
    return rows


def _row(
    pairs: FaceSet,
    name: str,
    result: Score,
    gains: tuple[Interval | None, Interval | None],
    enlarged: Luma8,
) -> Row:
    consistency = lr_consistency(enlarged, pairs.low)
    return Row(pairs.name, name, result.psnr, result.ssim, *gains, consistency)


def _gains(result: Score, base: Score, weights: list[np.ndarray]) -> tuple[Interval, Interval]:
    psnr_gain = np.subtract(result.psnr_each, base.psnr_each)
    ssim_gain = np.subtract(result.ssim_each, base.ssim_each)
    count = len(psnr_gain)
    return (
        interval(weighted_mean(psnr_gain), weights, count),
        interval(weighted_mean(ssim_gain), weights, count),
    )
