"""The losses of a generator, as recipes name them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from trt_build.recipes.fields import Positive, Share, Spec


class PerceptualSpec(Spec, frozen=True):
    """Distance of features, see `networks/perceptual.py`."""

    weight: float
    network: Literal["dlib", "vgg16", "vgg19"] = "dlib"
    """`dlib` comes with the face embedder; the others need `weights`."""
    layers: tuple[str, ...] = ()
    """The network's usual ones if empty."""
    weights: str = ""
    """A state dict in torchvision's layout, trained on ImageNet."""
    distance: Literal["l1", "mse"] = "l1"


class AdversarialSpec(Spec, frozen=True):
    """A discriminator that is trained against the generator."""

    weight: float
    discriminator: Literal["srgan", "patch", "unet"] = "unet"
    width: Positive = 32
    loss: Literal["bce", "hinge", "relativistic"] = "bce"
    """Goodfellow et al. 2014; Lim and Ye 2017; relativistic average: Jolicoeur-Martineau 2018, as in ESRGAN."""
    rate: float = 1e-4
    """Learning rate of the discriminator; it falls as the generator's does."""
    begin: Share = 0.0
    """Share of the budget after which it begins."""


class LossSpec(Spec, frozen=True):
    """Weights of what a generator learns from."""

    pixel: Literal["charbonnier", "l1", "mse", "psnr"] = "charbonnier"
    """`psnr`: the mean PSNR of the pictures in dB, negative; about 0.002 weighs as much as the others do."""
    pixel_weight: float = 1.0
    charbonnier_epsilon: float = 1e-3
    fourier_weight: float = 0.05
    """Of the L1 of the Fourier coefficients of the error."""
    identity_weight: float = 0.0
    """Of the squared distance between the vectors that dlib's network gives for the result and for the truth."""
    identity_faces: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many of each batch that network looks at, which costs more than a small generator itself; all for 0."""
    consistency_weight: float = 0.0
    """Of the L1 between the result, shrunk by area, and what went in."""
    perceptual: PerceptualSpec | None = None
    adversarial: AdversarialSpec | None = None

    def __post_init__(self) -> None:
        weights = (self.pixel_weight, self.fourier_weight, self.identity_weight, self.consistency_weight)
        if self.perceptual is None and not any(weights):
            raise ValueError("one weight besides the adversarial one must be above 0")
