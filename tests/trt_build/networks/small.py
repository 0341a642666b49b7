"""Small versions of the generators, and what their tests ask of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from trt_build.networks.generators.catalog import build_generator

SMALL: dict[str, dict[str, Any]] = {
    "compact": {"width": 8, "blocks": 1},
    "edsr": {"width": 8, "blocks": 1},
    "rrdb": {"width": 8, "growth": 4, "blocks": 1},
    "rrdn": {"width": 8, "blocks": 1, "refine_width": 4},
    "srcnn": {"features": [8, 4]},
    "srcnn_srgan": {"features": [8, 4], "width": 8, "blocks": 1},
    "srgan": {"width": 8, "blocks": 1},
}


def small(name: str, **options: Any) -> nn.Module:
    """Generator `name` of a few channels, always with the same weights, ready to run."""
    torch.manual_seed(0)
    return build_generator(name, SMALL[name] | options).eval()


def stirred(model: nn.Module) -> nn.Module:
    """The same network with a little noise on all weights and statistics, so that nothing in it is 0 or 1 any more."""
    generator = torch.Generator().manual_seed(1)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value += 0.2 * (torch.rand(value.shape, generator=generator) - 0.5)
    return model


def count(model: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def luma(*shape: int) -> torch.Tensor:
    """Seeded noise in [0, 1]."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(2))


def untouched(model: nn.Module, steps: int = 2) -> list[str]:
    """Names of the parameters that learn nothing in some steps of descent towards noise."""
    names: set[str] = {name for name, _ in model.named_parameters()}
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        found = model(luma(2, 1, 8, 8))
        (found - luma(*found.shape)).square().mean().backward()
        names -= {name for name, value in model.named_parameters() if value.grad is not None and value.grad.abs().sum() > 0}
        optimiser.step()
    return sorted(names)
