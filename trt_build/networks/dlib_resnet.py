"""dlib's face recognition network as a torch module, converted from its weights and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.models.dlib_weights import BLOCKS, Convolution, DlibWeights

_PIXEL_SCALE = 1 / 256


class DlibResNet(nn.Module):
    """(N, 3, 150, 150) RGB, 0 to 255, to (N, 128), not normalised; see ``build_dlib_resnet`` for the layers.

    A grey picture may be given as (N, 1, 150, 150).
    """

    def __init__(self, weights: DlibWeights) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.from_numpy(weights.mean_rgb.copy()).reshape(1, 3, 1, 1))
        self.stem = _convolution(weights.stem, 2)
        self.first = nn.ModuleList(
            _convolution(first, stride) for (first, _), (_, stride) in zip(weights.blocks, BLOCKS, strict=True)
        )
        self.second = nn.ModuleList(_convolution(second, 1) for _, second in weights.blocks)
        self.projection = nn.Parameter(torch.from_numpy(weights.projection.copy()))

    def forward(self, pictures: Tensor) -> Tensor:
        (features,) = self.features(pictures, [len(BLOCKS)])
        return features.mean(dim=(2, 3)) @ self.projection

    def features(self, pictures: Tensor, after: Sequence[int]) -> list[Tensor]:
        """Return the activations after some numbers of blocks, each (N, channels, rows, columns); pictures may
        have any size.
        """
        features = functional.relu(self.stem((pictures - self.mean) * _PIXEL_SCALE))
        features = functional.max_pool2d(features, 3, 2)
        found = [features] if 0 in after else []
        layers = zip(self.first, self.second, BLOCKS, strict=True)
        for number, (first, second, (channels, stride)) in enumerate(islice(layers, max(after)), start=1):
            inside = second(functional.relu(first(features)))
            around = features if stride == 1 else functional.avg_pool2d(features, 2, 2)
            features = functional.relu(_grown(inside, around, channels) + _grown(around, inside, channels))
            if number in after:
                found.append(features)
        return found

    def freeze_from(self, block: int) -> None:
        """Freeze all blocks from this one on; the stem and the blocks before it stay trainable."""
        for layer in (*self.first[block:], *self.second[block:]):
            layer.requires_grad_(False)
        self.projection.requires_grad_(False)

    def weights(self) -> DlibWeights:
        """Return the weights for ``build_dlib_resnet``."""
        blocks = tuple((_numbers(first), _numbers(second)) for first, second in zip(self.first, self.second, strict=True))
        return DlibWeights(_array(self.mean).reshape(3), _numbers(self.stem), blocks, _array(self.projection))


def _convolution(layer: Convolution, stride: int) -> nn.Conv2d:
    channels_out, channels_in, side, _ = layer.weight.shape
    module = nn.Conv2d(channels_in, channels_out, side, stride, side // 2 if stride == 1 else 0)
    assert module.bias is not None
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(layer.weight))
        module.bias.copy_(torch.from_numpy(layer.bias))
    return module


def _grown(features: Tensor, other: Tensor, channels: int) -> Tensor:
    """Pad with zeros at the end to the larger sides of the two, and to ``channels`` channels."""
    rows, columns = (max(0, other.shape[axis] - features.shape[axis]) for axis in (2, 3))
    return functional.pad(features, (0, columns, 0, rows, 0, channels - features.shape[1]))


def _numbers(layer: nn.Module) -> Convolution:
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return Convolution(_array(layer.weight), _array(layer.bias))


def _array(values: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(values.detach().cpu().numpy(), np.float32)
