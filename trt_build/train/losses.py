"""Fidelity losses on luma (N, 1, H, W) in [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trt_build.train.recipe import LossSpec


def charbonnier(difference: Tensor, epsilon: float) -> Tensor:
    """Smooth L1: mean of sqrt(d^2 + epsilon^2) (Lai et al., LapSRN)."""
    return torch.sqrt(difference * difference + epsilon * epsilon).mean()


def fourier_l1(difference: Tensor) -> Tensor:
    """Mean magnitude of the orthonormal Fourier coefficients of the error."""
    coefficients: Tensor = torch.fft.rfft2(difference, norm="ortho")
    return coefficients.abs().mean()


class FidelityLoss(nn.Module):
    """Charbonnier plus `fourier_weight` times the Fourier L1."""

    def __init__(self, spec: LossSpec) -> None:
        super().__init__()
        self._spec = spec

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Scalar loss."""
        difference = (output - target).contiguous()
        loss = charbonnier(difference, self._spec.charbonnier_epsilon)
        if self._spec.fourier_weight:
            loss = loss + self._spec.fourier_weight * fourier_l1(difference)
        return loss
