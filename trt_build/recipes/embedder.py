"""The recipe of an adapted embedder: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.models.dlib_weights import BLOCKS
from trt_build.recipes.fields import Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class FacesSpec(Spec, frozen=True):
    """Whom to learn from."""

    train: str
    """A zip or folder of square grey faces, one folder for each person."""
    teacher: str
    """A YuNet-format ONNX file, which finds their landmarks."""
    kept_apart: Share = 0.12
    """Share of the people who are not trained on: they choose the checkpoint, and the rule by which the network is used."""


class SmallSpec(Spec, frozen=True):
    """How a face becomes small."""

    smallest_px: Annotated[float, msgspec.Meta(ge=4)] = 10.0
    largest_px: float = 64.0
    """Side of the whole picture, drawn log-uniformly."""
    sharp: Share = 0.3
    """Share of faces that stay as they are: what the network knows already must not change."""
    clean: Share = 0.35
    """Share of the small ones that are only shrunk; the others go through a camera."""
    jitter: float = 0.04
    """Error of the landmarks, as a share of the distance of the eyes, besides a tenth of a pixel of the small picture."""

    def __post_init__(self) -> None:
        if self.smallest_px > self.largest_px:
            raise ValueError("smallest_px and largest_px must be in order")


class EmbedderLossSpec(Spec, frozen=True):
    """Weights."""

    distance: float = 1.0
    """Of the squared distance to the sharp face's vector."""
    sharp: float = 3.0
    """The same where the face itself is sharp."""
    rank: float = 0.3
    """Of the cross-entropy of finding the face among all others."""
    temperature: float = 0.06
    """Squared distance that makes a face e times less likely there."""


class EmbedderRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run needs."""

    faces: FacesSpec
    adapted_blocks: Annotated[int, msgspec.Meta(ge=0, le=len(BLOCKS))] = 10
    """So many of dlib's blocks, from the input on, and the stem are trained; the others stay as they are."""
    small: SmallSpec = SmallSpec()
    loss: EmbedderLossSpec = EmbedderLossSpec()
    optimiser: OptimiserSpec = OptimiserSpec(rate=1e-4, final_rate=1e-6, ema_decay=0.998, weight_decay=1e-4, clip_norm=1.0)
    validate_every_minutes: float = 15.0
    validation_faces: Positive = 400
    batch: Positive = 32
    threads: Positive = 1
