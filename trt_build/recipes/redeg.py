"""The recipe of DegNet and SynNet."""

from __future__ import annotations

import msgspec

from trt_build.recipes.fields import Positive, Share
from trt_build.recipes.timed import TimedRecipe

CHANNELS = {64: 256, 32: 512, 16: 512, 8: 512, 4: 512}
"""Published numbers of channels at each side of the features, from the picture to the bottleneck."""

DIM = 512


class DegradationOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Share of the published channels and of the published length of omega (512)."""

    multiplier: float = 0.25

    @property
    def channels(self) -> list[int]:
        """Channels at sides 64, 32, 16, 8 and 4."""
        return [round(count * self.multiplier) for count in CHANNELS.values()]

    @property
    def dim(self) -> int:
        """Length of omega, and of its W."""
        return round(DIM * self.multiplier)


class FootageSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Faces of real footage as in a camera's small stream."""

    clips: tuple[str, ...]
    """Videos with a face in most frames; the first 600 frames of each are used."""
    frames_per_clip: Positive = 60
    passes: Positive = 6
    """How often each clip is encoded, each time at another size and rate."""
    crf_min: int = 23
    crf_max: int = 38
    detector: str = "grey"
    """Detector that finds the faces: its name or manifest."""

    def __post_init__(self) -> None:
        if not 0 <= self.crf_min <= self.crf_max <= 51:
            raise ValueError("crf_min and crf_max must be in order within 0 to 51")


class RedegLossSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Weights of the losses.

    ReDegNet requires both omegas of a camera to be equal in L1, which a constant omega satisfies, too; here each must be closer
    to the other of its camera than to those of other cameras (InfoNCE, van den Oord et al. 2018). Perceptual and style losses
    of VGG19 are left out.
    """

    pixel_weight: float = 1.0
    same_weight: float = 0.02
    """Weight of the error in telling, by omega, which of the second faces went through the camera of each first face."""
    same_temperature: float = 0.1
    adversarial_weight: float = 0.005
    judge_width: Positive = 16
    judge_rate: float = 1e-4
    begin: Share = 0.2
    """Share of the budget after which the judge starts."""


class RedegRecipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of a run of both networks."""

    faces: str
    """Zip or folder of sharp faces."""
    validation_faces: str
    footage: FootageSpec
    restorer: str = "compact_fine_x4"
    """Generator that makes a sharper version of each real face, with which DegNet compares it."""
    network: DegradationOptions = DegradationOptions()
    loss: RedegLossSpec = RedegLossSpec()
    swap: Share = 0.8
    """How often SynNet gets the omega of another face from the same camera, so that omega does not describe the face."""
    second_order: Share = 0.7
    """Share of second-order cameras among the simulated ones; the others are of first order."""
