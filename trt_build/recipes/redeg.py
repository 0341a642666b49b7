"""The recipe of DegNet and SynNet."""

from __future__ import annotations

import msgspec

from trt_build.data.footage import FootageSpec
from trt_build.networks.degradation_nets import DegradationOptions
from trt_build.recipes.generator import Positive, Share, TimedRecipe


class RedegLossSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Weights.

    ReDegNet asks that both omegas of a camera be equal in L1, which is also reached by an omega that says nothing; here each
    must be nearer to its own than to those of other cameras (InfoNCE, van den Oord et al. 2018). Perceptual and style losses
    of VGG19 are left out.
    """

    pixel_weight: float = 1.0
    same_weight: float = 0.02
    """Of the error in telling, by omega, which of the second faces went through the camera of each first one."""
    same_temperature: float = 0.1
    adversarial_weight: float = 0.005
    judge_width: Positive = 16
    judge_rate: float = 1e-4
    begin: Share = 0.2
    """Share of the budget after which the judge begins."""


class RedegRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that a run of both networks needs."""

    faces: str
    """Zip or folder of sharp faces."""
    validation_faces: str
    footage: FootageSpec
    restorer: str = "compact_fine_x4"
    """The generator that makes a sharper version of each real face, for DegNet to compare with."""
    network: DegradationOptions = DegradationOptions()
    loss: RedegLossSpec = RedegLossSpec()
    swap: Share = 0.8
    """How often SynNet must use what DegNet said of another face from the same camera: so this may not tell of a face."""
    second_order: Share = 0.7
    """Share of second-order cameras among the simulated ones; the others are of first order."""
