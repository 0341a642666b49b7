"""Losses on luma (N, 1, H, W) in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.models.dlib_embedder import CHIP_PX, packaged_weights
from engine.models.dlib_weights import read_dlib_weights
from trt_build.networks.dlib_resnet import DlibResNet
from trt_build.networks.perceptual import PerceptualLoss
from trt_build.recipes.losses import LossSpec

_CHIP_DROP = 0.085
"""Downward shift of dlib's chip relative to the LFW pictures used for training, as a share of their side; its size is the same
(medians over 1,831 faces: 0.084 and 0.99).
"""

_LEAST_ERROR = 1e-7
"""Least mean squared error: that of a picture accurate to far below one 8-bit level."""


def charbonnier(difference: Tensor, epsilon: float) -> Tensor:
    """Smooth L1: mean of sqrt(d^2 + epsilon^2) (Lai et al., LapSRN)."""
    return torch.sqrt(difference * difference + epsilon * epsilon).mean()


def negative_psnr(difference: Tensor) -> Tensor:
    """Mean over the pictures (N, 1, H, W) of their PSNR in dB, negative, for a peak of 1 (Chen et al., HINet, 2021).

    This is what a table of mean PSNRs measures: all pictures count alike, however hard they are, and within one the squared
    error counts.
    """
    return 10 * torch.log10(difference.square().mean(dim=(1, 2, 3)) + _LEAST_ERROR).mean()


def fourier_l1(difference: Tensor) -> Tensor:
    """Mean magnitude of the orthonormal Fourier coefficients of the error."""
    coefficients: Tensor = torch.fft.rfft2(difference, norm="ortho")
    return coefficients.abs().mean()


class IdentityLoss(nn.Module):
    """Squared distance between the vectors of dlib's network for two versions of each face; strangers are 0.36 apart and more.

    The pictures must show the whole face as LFW's do. The network is frozen: gradients reach only the pictures.
    """

    def __init__(self) -> None:
        super().__init__()
        self._network = DlibResNet(read_dlib_weights(packaged_weights())).eval().requires_grad_(False)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Scalar loss; `target` gets no gradient."""
        with torch.no_grad():
            wanted = self._network(_chips(target))
        apart: Tensor = (self._network(_chips(output)) - wanted).pow(2).sum(dim=1)
        return apart.mean()


def _chips(faces: Tensor) -> Tensor:
    drop = round(_CHIP_DROP * faces.shape[2])
    lowered = functional.pad(faces, (0, 0, 0, drop), mode="replicate")[:, :, drop:]
    return 255 * functional.interpolate(lowered, (CHIP_PX, CHIP_PX), mode="bilinear", align_corners=False).clamp(0, 1)


def shrunk(pictures: Tensor, scale: int) -> Tensor:
    """Shrink by the mean over squares of ``scale`` pixels, as a sensor with larger pixels does."""
    return functional.avg_pool2d(pictures, scale)


class GeneratorLoss(nn.Module):
    """The weighted sum of a recipe's losses, without the adversarial one."""

    def __init__(self, spec: LossSpec) -> None:
        super().__init__()
        self._spec = spec
        self._identity = IdentityLoss() if spec.identity_weight else None
        self._perceptual = PerceptualLoss(spec.perceptual) if spec.perceptual is not None else None

    def forward(self, output: Tensor, target: Tensor, low: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its weighted parts.

        Args:
            output: (N, 1, H, W).
            target: the truth, same shape.
            low: (N, 1, H / scale, W / scale), the input.
        """
        parts = dict(self._parts(output, target, low))
        return torch.stack(list(parts.values())).sum(), {name: float(value.detach()) for name, value in parts.items()}

    def _parts(self, output: Tensor, target: Tensor, low: Tensor) -> Iterator[tuple[str, Tensor]]:
        spec = self._spec
        difference = (output - target).contiguous()
        if spec.pixel_weight:
            yield "pixel", spec.pixel_weight * _pixel(difference, spec)
        if spec.fourier_weight:
            yield "fourier", spec.fourier_weight * fourier_l1(difference)
        if spec.consistency_weight:
            yield "consistency", spec.consistency_weight * (shrunk(output, output.shape[2] // low.shape[2]) - low).abs().mean()
        if self._perceptual is not None and spec.perceptual is not None:
            yield "perceptual", spec.perceptual.weight * self._perceptual(output, target)
        if self._identity is not None:
            looked_at = spec.identity_faces or len(output)
            yield "identity", spec.identity_weight * self._identity(output[:looked_at], target[:looked_at])


def _pixel(difference: Tensor, spec: LossSpec) -> Tensor:
    match spec.pixel:
        case "charbonnier":
            return charbonnier(difference, spec.charbonnier_epsilon)
        case "l1":
            return difference.abs().mean()
        case "mse":
            return difference.square().mean()
        case "psnr":
            return negative_psnr(difference)
