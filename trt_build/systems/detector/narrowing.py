"""Reduces the channels of a trained network at stride 4, so that the next layer gets nearly the same input."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trt_build.networks.grey_detector import normalised

Weights = dict[str, tuple[Tensor, Tensor]]
"""Weight and bias of each convolution, by its name."""
_THIN, _DEPTHWISE, _POINTWISE = "stem.1.0", "stem.2.0.0", "stem.2.1.0"
_RIDGE = 1e-3
"""Regularisation, as a share of a channel's mean variance: keeps the fit from relying on channels that hardly vary."""


def narrowed(known: Weights, channels: int, pictures: Tensor) -> Weights:
    """Return weights with ``channels`` channels at stride 4, up to the pointwise convolution of the first block there.

    The channels whose removal changes that convolution's output least are removed one by one; the convolution is fitted again
    to the rest.

    Args:
        known: weights of a network with a block at stride 4.
        channels: number to keep, at most as many as there are.
        pictures: (N, 1, H, W), 0 to 255, on which it is fitted.
    """
    with torch.no_grad():
        seen = _before_the_pointwise(known, normalised(pictures)).transpose(0, 1).flatten(1).double()
    mean = seen.mean(dim=1)
    covariance = (seen - mean[:, None]) @ (seen - mean[:, None]).T / seen.shape[1]
    covariance += _RIDGE * covariance.diagonal().mean() * torch.eye(len(mean), dtype=torch.double)
    weight, bias = (one.double() for one in known[_POINTWISE])
    matrix = weight[:, :, 0, 0]
    kept = list(range(len(mean)))
    while len(kept) > channels:
        kept = min(
            ([one for one in kept if one != gone] for gone in kept), key=lambda some: _left_over(covariance, matrix, some)
        )
    fitted = _fitted(covariance, matrix, kept)
    moved = bias + matrix @ mean - fitted @ mean[kept]
    narrow = {name: (known[name][0][kept], known[name][1][kept]) for name in (_THIN, _DEPTHWISE)}
    return known | narrow | {_POINTWISE: (fitted[:, :, None, None].float(), moved.float())}


def _before_the_pointwise(known: Weights, features: Tensor) -> Tensor:
    for name, stride, groups in (("stem.0.0", 2, 1), (_THIN, 2, 1), (_DEPTHWISE, 1, len(known[_THIN][1]))):
        features = functional.conv2d(features, *known[name], stride, 1, groups=groups).relu()
    return features


def _fitted(covariance: Tensor, matrix: Tensor, kept: list[int]) -> Tensor:
    """Return the matrix (out, kept) that best approximates ``matrix`` in the mean square."""
    solved: Tensor = torch.linalg.solve(covariance[kept][:, kept], covariance[kept] @ matrix.T)
    return solved.T


def _left_over(covariance: Tensor, matrix: Tensor, kept: list[int]) -> float:
    """Return the variance of the output of ``matrix`` that the channels ``kept`` do not explain."""
    explained = _fitted(covariance, matrix, kept) @ covariance[kept] @ matrix.T
    return float((matrix @ covariance @ matrix.T - explained).diagonal().sum())
