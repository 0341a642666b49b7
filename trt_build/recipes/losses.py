"""The losses of a generator."""

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
    """Layers of the network; its default ones if empty."""
    weights: str = ""
    """A state dict in torchvision's layout, trained on ImageNet."""
    distance: Literal["l1", "mse"] = "l1"


class AdversarialSpec(Spec, frozen=True):
    """A discriminator trained against the generator."""

    weight: float
    discriminator: Literal["srgan", "patch", "unet"] = "unet"
    width: Positive = 32
    loss: Literal["bce", "hinge", "relativistic"] = "bce"
    """Goodfellow et al. 2014; Lim and Ye 2017; relativistic average: Jolicoeur-Martineau 2018, as in ESRGAN."""
    rate: float = 1e-4
    """Learning rate of the discriminator; it falls like the generator's."""
    begin: Share = 0.0
    """Share of the budget after which it starts."""


class LossSpec(Spec, frozen=True):
    """Weights of the losses of a generator."""

    pixel: Literal["charbonnier", "l1", "mse", "psnr"] = "charbonnier"
    """`psnr`: the mean PSNR of the pictures in dB, negative; about 0.002 weighs as much as the others do."""
    pixel_weight: float = 1.0
    charbonnier_epsilon: float = 1e-3
    fourier_weight: float = 0.05
    """Weight of the L1 norm of the error's Fourier coefficients."""
    identity_weight: float = 0.0
    """Weight of the squared distance between dlib's vectors of the result and of the truth."""
    identity_faces: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Number of pictures of each batch for which that is computed, as it costs more than a small generator; 0: all."""
    consistency_weight: float = 0.0
    """Weight of the L1 distance between the result, shrunk by area, and the input."""
    perceptual: PerceptualSpec | None = None
    adversarial: AdversarialSpec | None = None

    def __post_init__(self) -> None:
        weights = (self.pixel_weight, self.fourier_weight, self.identity_weight, self.consistency_weight)
        if self.perceptual is None and not any(weights):
            raise ValueError("one weight besides the adversarial one must be above 0")
