"""Adversarial training: the discriminators, and the losses of both sides."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.discriminators import PatchDiscriminator, SRGANDiscriminator, UNetDiscriminator
from trt_build.recipes.losses import AdversarialSpec


def build_discriminator(spec: AdversarialSpec) -> nn.Module:
    """Build the discriminator of a recipe: luma (N, 1, H, W) to logits."""
    match spec.discriminator:
        case "srgan":
            return SRGANDiscriminator(spec.width)
        case "patch":
            return PatchDiscriminator(spec.width)
        case "unet":
            return UNetDiscriminator(spec.width)


class AdversarialLoss:
    """The losses of both sides; logits of the other side's pictures are constants."""

    def __init__(self, kind: str) -> None:
        """``kind``: see ``AdversarialSpec.loss``."""
        self._kind = kind
        self.needs_real = kind == "relativistic"
        """Whether the generator's loss depends on the logits of true pictures."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss for pictures with the logits ``fake``; ``real``: see ``needs_real``."""
        if self._kind == "hinge":
            return -fake.mean()
        if self._kind == "relativistic":
            assert real is not None
            return (_towards(real - fake.mean(), 0.0) + _towards(fake - real.mean(), 1.0)) / 2
        return _towards(fake, 1.0)

    def discriminator(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return the discriminator's loss."""
        if self._kind == "hinge":
            return (functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()) / 2
        if self._kind == "relativistic":
            return (_towards(real - fake.mean(), 1.0) + _towards(fake - real.mean(), 0.0)) / 2
        return (_towards(real, 1.0) + _towards(fake, 0.0)) / 2


def _towards(logits: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
