"""Small recipes, faces and generators for the tests of the offline side."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np

from trt_build.data.faces import Faces
from trt_build.recipes.degradations import H264Spec, MixtureSpec
from trt_build.recipes.generator import DataSpec, GeneratorSpec, Recipe
from trt_build.recipes.timed import BudgetSpec


def tiny_recipe(steps: int = 6, **changes: object) -> Recipe:
    """A recipe of a few steps on 32-px faces, without H.264 unless asked for."""
    recipe = Recipe(
        name="tiny",
        data=DataSpec(train="train.zip", validation="val.zip", hr_px=32),
        budget=BudgetSpec(steps=steps),
        generator=GeneratorSpec(options={"width": 8, "blocks": 1}),
        mixture=MixtureSpec(clean=0.5, first_order=0.3, second_order=0.2, h264=0.0),
        h264=H264Spec(passes=2, frames=6),
        batch=2,
        threads=1,
    )
    return msgspec.structs.replace(recipe, **changes)


def smooth_faces(count: int = 6, side: int = 36, seed: int = 0, people: int = 3) -> Faces:
    """Blurred noise with full contrast: uint8 (count, side, side)."""
    rng = np.random.default_rng(seed)
    noise = [cv2.GaussianBlur(rng.random((side, side)), (0, 0), 1.5) for _ in range(count)]
    images = [np.rint((n - n.min()) / (n.max() - n.min()) * 255).astype(np.uint8) for n in noise]
    names = tuple(f"Person_{i % people}/Person_{i % people}_{i:04d}.png" for i in range(count))
    return Faces(np.stack(images), names)


class Silent:
    """A watcher that only remembers."""

    def __init__(self) -> None:
        self.prepared: tuple[str, int, int] | None = None
        self.losses: list[float] = []
        self.parts: dict[str, float] = {}
        self.rows: list[dict[str, float]] = []

    def on_prepare(self, what: str, done: int, total: int) -> None:
        self.prepared = (what, done, total)

    def on_step(self, step: int, fraction: float, loss: float, parts: dict[str, float], rate: float) -> None:
        self.losses.append(loss)
        self.parts = parts

    def on_validation(self, row: dict[str, float]) -> None:
        self.rows.append(row)
