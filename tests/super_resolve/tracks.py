"""Small frames of one drawn face under known warps, as a camera and libx264 leave them."""

from __future__ import annotations

import cv2
import numpy as np

from engine.super_resolve.warps import compose, inverse

LANDMARKS = np.array([[56, 60], [88, 60], [72, 82], [60, 100], [84, 100]], np.float32)
"""Of `drawn_face`, pixel centres."""


def drawn_face(seed: int = 0) -> np.ndarray:
    """Return a face-like picture, uint8 (144, 144): an oval with eyes, nose and mouth before a plain wall."""
    rng = np.random.default_rng(seed)
    face = np.full((144, 144), rng.integers(60, 130), np.uint8)
    grey, dark = int(rng.integers(150, 210)), int(rng.integers(20, 60))
    cv2.ellipse(face, (72, 76), (int(rng.integers(34, 42)), 50), 0, 0, 360, grey, -1)
    cv2.ellipse(face, (72, int(rng.integers(22, 34))), (38, 18), 0, 0, 360, dark, -1)
    for x in (56, 88):
        cv2.ellipse(face, (x, 60), (int(rng.integers(5, 9)), 4), 0, 0, 360, dark, -1)
        cv2.line(face, (x - 9, int(rng.integers(46, 53))), (x + 9, 50), dark + 30, 3)
    cv2.line(face, (72, 62), (int(rng.integers(68, 77)), 84), grey - 40, 3)
    cv2.ellipse(face, (72, 100), (int(rng.integers(9, 17)), int(rng.integers(2, 6))), 0, 0, 360, dark + 40, -1)
    return np.asarray(cv2.GaussianBlur(face, (0, 0), 1.0), np.uint8)


def moved(face: np.ndarray, px: int, shift: tuple[float, float], turn: float, grow: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame uint8 (px, px) of the face, moved (pixels of the frame), turned (radians) and grown, and its warp
    from the face's pixels to the frame's."""
    linear = px / 144 * grow * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.full(2, (px - 1) / 2) + shift
    warp = np.column_stack([linear, middle - linear @ np.full(2, 71.5)])
    fine = np.column_stack([4 * linear, 4 * warp[:, 2] + 1.5])
    large = cv2.warpAffine(
        face.astype(np.float32), fine, (4 * px, 4 * px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    small = cv2.resize(large, (px, px), interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8), warp


def track(px: int, count: int, seed: int = 0, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frames uint8 (count, px, px), their warps from the face (count, 2, 3) and landmarks (count, 5, 2)."""
    rng = np.random.default_rng(seed)
    face = drawn_face(seed)
    made = [moved(face, px, rng.uniform(-1, 1, 2), rng.uniform(-0.07, 0.07), rng.uniform(0.96, 1.04)) for _ in range(count)]
    lows = np.stack([low for low, _ in made]).astype(np.float64) + rng.normal(0, noise, (count, px, px))
    warps = np.stack([warp for _, warp in made])
    points = np.stack([LANDMARKS @ warp[:, :2].T + warp[:, 2] for warp in warps]).astype(np.float32)
    return np.clip(np.rint(lows), 0, 255).astype(np.uint8), warps, points


def errors_px(found: np.ndarray, warps: np.ndarray, reference: int, px: int) -> np.ndarray:
    """Return how far registered frames lie from where they should, mean over the face, pixels of the frames: (N,)."""
    grid = np.linspace(0.25, 0.75, 5) * px - 0.5
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    true = [compose(warp, inverse(warps[reference])) for warp in warps]
    apart = [points @ (a - b)[:, :2].T + (a - b)[:, 2] for a, b in zip(found.astype(np.float64), true, strict=True)]
    return np.array([np.linalg.norm(one, axis=1).mean() for one in apart])
