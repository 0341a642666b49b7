"""An open set that was never measured: limits that are easy to reckon with."""

from __future__ import annotations

import numpy as np

from engine.verify.open_set import OpenSet

CHANCES = np.array([1e-1, 1e-2, 1e-3, 1e-4])


def measured(length: int = 8, embedder_sha256: str = "0" * 64, strangers: int = 6000, scene: float = 0.0) -> OpenSet:
    """Return limits of 16 and 64 px: each tenth of the chance asks for 0.1 more, from 0.1 on; at 16 px for 0.05 more still.

    In the mean over galleries half of what single ones may have. Strangers of one scene reach 0.2 less than those of 64 px do,
    and ``scene`` more.
    """
    crowd = np.random.default_rng(1).standard_normal((20, length)).astype(np.float32)
    crowd /= 2 * np.linalg.norm(crowd, axis=1, keepdims=True)
    limits = np.array([[0.15, 0.25, 0.35, 0.45], [0.1, 0.2, 0.3, 0.4]])
    return OpenSet(
        crowd, np.array([16.0, 64.0]), CHANCES, limits, np.array([-0.2, 0.0]), np.array([0.5, 1.2]),
        np.array([0.1, 5e-4]), np.array([0.05, 2.5e-4]), CHANCES, np.array([-0.1, 0.0, 0.1, 0.2]) + scene, 100_000,
        np.array([strangers // 2, strangers // 2]), embedder_sha256, "made up",
    )  # fmt: skip
