"""The recipe of an adapted embedder: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.models.dlib_weights import BLOCKS
from trt_build.recipes.fields import Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class FacesSpec(Spec, frozen=True):
    """The training faces."""

    train: str
    """A zip or folder of square grey faces, one folder for each person."""
    teacher: str
    """A YuNet-format ONNX file, which finds their landmarks."""
    kept_apart: Share = 0.12
    """Share of people kept out of training; the checkpoint, and the rule for using the network, are chosen on them."""


class SmallSpec(Spec, frozen=True):
    """How small faces are made."""

    smallest_px: Annotated[float, msgspec.Meta(ge=4)] = 10.0
    largest_px: float = 64.0
    """Side of the whole picture, drawn log-uniformly between the two."""
    sharp: Share = 0.3
    """Share of faces that stay sharp, so that the network's vectors of sharp faces do not change."""
    clean: Share = 0.35
    """Share of small faces that are only shrunk; the others go through a simulated camera."""
    jitter: float = 0.04
    """Error of the landmarks as a share of the eye distance, in addition to a tenth of a pixel of the small picture."""

    def __post_init__(self) -> None:
        if self.smallest_px > self.largest_px:
            raise ValueError("smallest_px and largest_px must be in order")


class EmbedderLossSpec(Spec, frozen=True):
    """Weights of the parts of the loss."""

    distance: float = 1.0
    """Weight of the squared distance to the sharp face's vector."""
    sharp: float = 3.0
    """The same for sharp faces."""
    rank: float = 0.3
    """Weight of the cross-entropy of finding the face among all others."""
    temperature: float = 0.06
    """Temperature of that cross-entropy: the squared distance that makes a face e times less likely."""


class EmbedderRecipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of one training run."""

    faces: FacesSpec
    adapted_blocks: Annotated[int, msgspec.Meta(ge=0, le=len(BLOCKS))] = 10
    """Number of dlib's blocks, counted from the input, that are trained together with the stem; the others are frozen."""
    small: SmallSpec = SmallSpec()
    loss: EmbedderLossSpec = EmbedderLossSpec()
    optimiser: OptimiserSpec = OptimiserSpec(rate=1e-4, final_rate=1e-6, ema_decay=0.998, weight_decay=1e-4, clip_norm=1.0)
    validate_every_minutes: float = 15.0
    validation_faces: Positive = 400
    batch: Positive = 32
    threads: Positive = 1
