"""Training batches as a pure function of the step number and of the false alarms known at that time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from trt_build.data.batches import ENDLESS
from trt_build.data.degradation import Random
from trt_build.data.scenes.compose import make_scene
from trt_build.data.scenes.hard import Hard, read_hard
from trt_build.data.scenes.material import Material
from trt_build.data.scenes.teacher import Teacher
from trt_build.recipes.detector import DetectorRecipe
from trt_build.systems.detector.targets import NOTHING, targets_of

_LOOK_EVERY = 20
"""Number of batches between two checks for new false alarms."""
_FEATURES_OF = 320
"""Number of cells of a picture whose features are compared with the teacher's."""
Batch = tuple[NDArray[Any], ...]


class SceneBatches:
    """``batches[step]``: pictures (B, 1, side, side) uint8, and state, boxes and points of their cells as in ``Targets``.

    With ``distil`` also the teacher's scores (B, cells) and, for K chosen cells, faces first, their numbers (B, K) and the
    teacher's features (B, K, channels), from ``Teacher.look``.
    """

    def __init__(self, material: Material, recipe: DetectorRecipe, hard: Path, teacher: Teacher | None = None) -> None:
        """``hard``: the file of ``write_hard``, which may appear and change during training; ``teacher``: see ``agreed``."""
        self._material = material
        self._recipe = recipe
        self._hard_file = hard
        self._teacher = teacher
        self._hard = Hard()
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
        batch: Batch = (
            np.stack([scene.image for scene in scenes])[:, None],
            np.stack([one.state for one in targets]),
            np.stack([one.boxes for one in targets]),
            np.stack([one.points for one in targets]),
        )
        if self._teacher is None or not self._recipe.distil.asked:
            return batch
        seen = [
            _chosen(*self._teacher.look(np.asarray(scene.image, np.uint8)), one.state, rng)
            for scene, one in zip(scenes, targets, strict=True)
        ]
        return (*batch, *(np.stack(some) for some in zip(*seen, strict=True)))

    def _look(self) -> None:
        if self._until_look > 0:
            self._until_look -= 1
            return
        self._until_look = _LOOK_EVERY
        if self._hard_file.exists() and (changed := self._hard_file.stat().st_mtime) != self._seen:
            self._hard, self._seen = read_hard(self._hard_file), changed


def _chosen(
    scores: Float32, features: Float32, state: NDArray[np.uint8], rng: Random
) -> tuple[Float32, NDArray[np.int64], Float32]:
    """Return the scores, and numbers and features of the chosen cells: first those of faces and around them, then any."""
    order = np.argsort(rng.random(len(state)) - (state != NOTHING))[:_FEATURES_OF]
    return scores, order.astype(np.int64), features[order]
