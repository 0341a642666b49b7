"""3x3 convolutions of torch in 8-bit floating point (E4M3), which torch itself has only for matrix products."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

E4M3, LARGEST = torch.float8_e4m3fn, 448.0
_STEP = 16
"""Channels of a product are multiples of it."""


class Fp8Convolution(nn.Module):
    """A product of E4M3 numbers, its sums in float32: each pixel's neighbourhood becomes a row, so that nine times the bytes of
    a picture are written and read. A kernel that reads them in place, as TensorRT's, does not pay for that.

    Args:
        convolution: for which ``fits``; what it computes in is what goes in and out.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        scale = weight.abs().amax().float().clamp(min=1e-12) / LARGEST
        rows = (weight.float() / scale).permute(0, 2, 3, 1).reshape(len(weight), -1)
        self.register_buffer("weight", rows.to(E4M3))
        self.register_buffer("scale", scale)
        self.register_buffer("one", torch.ones_like(scale))
        self.bias = convolution.bias

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), within 448 on either side of zero -> (N, D, H, W)."""
        count, channels, height, width = x.shape
        picture = x.permute(0, 2, 3, 1).clamp(-LARGEST, LARGEST).to(E4M3).view(torch.uint8)  # of which there is padding
        around = functional.pad(picture, (0, 0, 1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1)
        rows = around.permute(0, 1, 2, 4, 5, 3).reshape(count * height * width, 9 * channels).view(E4M3)
        product = torch._scaled_mm(rows, self.weight.t(), self.one, self.scale, bias=self.bias, out_dtype=x.dtype)
        return product.view(count, height, width, -1).permute(0, 3, 1, 2)


def fits(convolution: nn.Conv2d) -> bool:
    """Whether a convolution can be such a product."""
    plain = convolution.kernel_size == (3, 3) and convolution.padding == (1, 1) and convolution.stride == (1, 1)
    return plain and convolution.in_channels % _STEP == convolution.out_channels % _STEP == 0


def in_fp8(model: nn.Module) -> int:
    """Put such products in the place of a generator's convolutions, but for the one called ``last``, and return how many."""
    replaced = 0
    for name, child in model.named_children():
        if not isinstance(child, nn.Conv2d):
            replaced += in_fp8(child)
        elif name != "last" and fits(child):
            setattr(model, name, Fp8Convolution(child))
            replaced += 1
    return replaced


def product(side: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return two square matrices for ``torch._scaled_mm``, and the scale of both."""
    one, other = (torch.rand(side, side, device=device).to(E4M3) for _ in range(2))
    return one, other.t(), torch.ones((), device=device)
