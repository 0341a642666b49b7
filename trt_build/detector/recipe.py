"""The recipe of a detector: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.runtime.precision import Precision
from trt_build.train.recipe import OptimiserSpec, Positive, Share, TimedRecipe, _Spec


class NetworkSpec(_Spec, frozen=True):
    """Options of ``GreyDetector``."""

    stem: tuple[int, int] = (8, 24)
    widths: tuple[int, int, int] = (48, 64, 96)
    depths: tuple[int, int, int] = (3, 4, 4)
    neck: int = 48
    head: int = 1


class MaterialSpec(_Spec, frozen=True):
    """Where scenes come from. Whole clips are kept apart: none may stand in both lists."""

    teacher: str
    """A YuNet-format ONNX file, which labels grey pixels."""
    faces: str
    validation_faces: str
    """Zips or folders of square grey faces, of different people."""
    backgrounds: str
    """A zip or folder of photographs; those in which the teacher sees a face are used like frames of footage."""
    footage: tuple[str, ...]
    validation_footage: tuple[str, ...]
    frames_per_clip: Positive = 60
    validation_backgrounds: Positive = 20
    """Photographs kept apart, every so-manieth."""

    def __post_init__(self) -> None:
        if twice := set(self.footage) & set(self.validation_footage):
            raise ValueError(f"{', '.join(sorted(twice))} is in footage and in validation_footage")


class SceneSpec(_Spec, frozen=True):
    """How a training picture is made."""

    side_px: Annotated[int, msgspec.Meta(ge=64, multiple_of=32)] = 320
    faces: int = 8
    """At most."""
    smallest_px: float = 8.0
    largest_px: float = 260.0
    """Width of a face, drawn log-uniformly between the smallest and the scene's largest, which is drawn the same way."""
    real: Share = 0.35
    """Share of footage frames; the rest is composed."""
    hard: Share = 0.4
    """Share of composed scenes whose background holds a false alarm of before, once there are some."""

    def __post_init__(self) -> None:
        if not 0 < self.smallest_px <= self.largest_px:
            raise ValueError("smallest_px and largest_px must be in order, and above 0")


class DetectorLossSpec(_Spec, frozen=True):
    """Weights of the parts."""

    score: float = 2.0
    box: float = 1.5
    points: float = 0.5
    late_points: float = 4.0
    """From ``late_from`` of the budget on."""
    late_from: Share = 0.7


class MiningSpec(_Spec, frozen=True):
    """False alarms on pictures without a face are looked for while training."""

    every_minutes: float = 6.0
    pictures: Positive = 300
    """Looked at each time."""
    keep: Positive = 2000
    min_score: float = 0.3


class DetectorRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run needs."""

    material: MaterialSpec
    network: NetworkSpec = NetworkSpec()
    scene: SceneSpec = SceneSpec()
    optimiser: OptimiserSpec = OptimiserSpec(rate=3e-3, ema_decay=0.998, weight_decay=1e-4, clip_norm=10.0)
    loss: DetectorLossSpec = DetectorLossSpec()
    mining: MiningSpec = MiningSpec()
    precision: Precision = "float32"
    """Of a training step; bfloat16 pays only on a GPU or a CPU that has it, and is computed on any."""
    validate_every_minutes: float = 8.0
