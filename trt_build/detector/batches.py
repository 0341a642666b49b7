"""Training batches as a pure function of the step number and of the false alarms known then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from trt_build.array_files import write_arrays
from trt_build.detector.material import Material
from trt_build.detector.recipe import DetectorRecipe
from trt_build.detector.scenes import make_scene
from trt_build.detector.targets import targets_of
from trt_build.detector.teacher import Teacher
from trt_build.train.dataset import ENDLESS

_LOOK_EVERY = 20
"""Batches between two looks for new false alarms."""
Batch = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]


class SceneBatches:
    """``batches[step]``: pictures (B, 1, side, side) uint8, and state, boxes and points of their cells as in ``Targets``."""

    def __init__(self, material: Material, recipe: DetectorRecipe, hard: Path, teacher: Teacher | None = None) -> None:
        """``hard``: the file of ``write_hard``, which may come and change while training; ``teacher``: see ``agreed``."""
        self._material = material
        self._recipe = recipe
        self._hard_file = hard
        self._teacher = teacher
        self._hard: list[Uint8] = []
        self._seen = 0.0
        self._until_look = 0

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        self._look()
        rng = np.random.default_rng((self._recipe.seed, step))
        scenes = [
            make_scene(self._material, self._hard, self._recipe.scene, rng, self._teacher) for _ in range(self._recipe.batch)
        ]
        targets = [targets_of(scene) for scene in scenes]
        return (
            np.stack([scene.image for scene in scenes])[:, None],
            np.stack([one.state for one in targets]),
            np.stack([one.boxes for one in targets]),
            np.stack([one.points for one in targets]),
        )

    def _look(self) -> None:
        if self._until_look > 0:
            self._until_look -= 1
            return
        self._until_look = _LOOK_EVERY
        if self._hard_file.exists() and (changed := self._hard_file.stat().st_mtime) != self._seen:
            self._hard, self._seen = read_hard(self._hard_file), changed


def write_hard(path: Path, windows: list[Uint8]) -> None:
    """Keep false alarms in one file, put in place at once."""
    shapes = np.array([window.shape for window in windows], np.int64).reshape(-1, 2)
    pixels = np.concatenate([window.ravel() for window in windows]) if windows else np.zeros(0, np.uint8)
    write_arrays(path, {"shapes": shapes, "pixels": pixels})


def read_hard(path: Path) -> list[Uint8]:
    """Return what ``write_hard`` kept."""
    with np.load(path) as stored:
        shapes, pixels = stored["shapes"], stored["pixels"]
    ends = np.cumsum(shapes.prod(axis=1)) if len(shapes) else np.zeros(0, np.int64)
    return [pixels[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, shapes, strict=True)]
