"""LPIPS (Zhang et al., CVPR 2018, version 0.1) without torchvision: a plain ImageNet backbone and the published linear heads.

The heads come with torchmetrics (BSD-2, Richard Zhang), the backbone's weights are the user's: nothing is fetched.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import MissingRuntimeError, ModelError
from trt_build.errors import first_line
from trt_build.networks.imagenet import vgg_layers

_ALEX = ("64,11,4,2", "pool", "192,5,1,2", "pool", "384,3,1,1", "256,3,1,1", "256,3,1,1")
_VGG_TAPS = ("1_2", "2_2", "3_3", "4_3", "5_3")
"""Layers: after the ReLU of these convolutions."""
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_BATCH = 32
_LEAST_PX = 32
"""Least side: smaller pictures vanish in AlexNet."""


class Lpips:
    """Distance of pictures in the features of an ImageNet network; 0 for equal ones.

    Args:
        weights: a state dict of AlexNet or VGG16 in torchvision's layout (``features.0.weight`` and so on), saved by torch.

    Raises:
        ModelError: the file is missing, or holds no such weights.
        MissingRuntimeError: torchmetrics, which carries the heads, is not installed.
    """

    def __init__(self, weights: Path) -> None:
        state = _read(weights)
        first = state.get("features.0.weight")
        if first is None or tuple(first.shape) not in ((64, 3, 11, 11), (64, 3, 3, 3)):
            raise ModelError(
                f"'{weights}' holds no weights of AlexNet or VGG16 in torchvision's layout (no fitting 'features.0.weight'): "
                "give such a state dict to --lpips-weights"
            )
        self.backbone = "alex" if first.shape[-1] == 11 else "vgg"
        layers, self._taps = _alexnet() if self.backbone == "alex" else _vgg16()
        features = {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
        try:
            layers.load_state_dict(features)
        except RuntimeError as error:
            raise ModelError(f"'{weights}' is not {self.backbone} in torchvision's layout: {first_line(error)}") from error
        self._layers = layers.eval()
        self._heads = heads(self.backbone)

    def __call__(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the distance of each pair of luma pictures, uint8 (N, H, W) each -> (N,); NaN if a side is below 32 px."""
        if min(one.shape[1:]) < _LEAST_PX:
            return np.full(len(one), np.nan)
        parts = []
        with torch.inference_mode():
            for at in range(0, len(one), _BATCH):
                left, right = (torch.from_numpy(np.array(some[at : at + _BATCH])) for some in (one, other))
                parts.append(self.distance(_grey(left), _grey(right)).numpy())
        return np.concatenate(parts).astype(np.float64)

    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the distance of each pair, (N,), of RGB tensors (N, 3, H, W) in -1 to 1."""
        total = torch.zeros(len(one))
        for left, right, head in zip(self._seen(one), self._seen(other), self._heads, strict=True):
            total = total + functional.conv2d((left - right) ** 2, head).mean(dim=(1, 2, 3))
        return total

    def _seen(self, pictures: Tensor) -> list[Tensor]:
        """Return the activations of five layers, normalised to length 1 at every position."""
        shift, scale = (torch.tensor(values)[None, :, None, None] for values in (_SHIFT, _SCALE))
        values, found = (pictures - shift) / scale, []
        for index, layer in enumerate(self._layers):
            values = layer(values)
            if index in self._taps:
                found.append(values / torch.sqrt(1e-8 + (values**2).sum(dim=1, keepdim=True)))
        return found


def heads(backbone: str) -> list[Tensor]:
    """Return the five linear heads, each (1, C, 1, 1), from torchmetrics, which is not imported: it would want torchvision."""
    spec = importlib.util.find_spec("torchmetrics")
    if spec is None or not spec.submodule_search_locations:
        raise MissingRuntimeError("LPIPS needs the heads of torchmetrics, which is not installed: pip install torchmetrics")
    path = Path(spec.submodule_search_locations[0]) / "functional" / "image" / "lpips_models" / f"{backbone}.pth"
    state = _read(path)
    return [state[f"lin{index}.model.1.weight"] for index in range(5)]


def _read(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise ModelError(
            f"there are no LPIPS weights '{path}': give the path of a state dict of AlexNet or VGG16 (torchvision's layout), "
            "or remove --lpips-weights"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(f"'{path}' is not a state dict saved by torch: {first_line(error)}") from error
    if not isinstance(state, Mapping):
        raise ModelError(f"'{path}' is not a state dict saved by torch: it holds a {type(state).__name__}")
    return state


def _alexnet() -> tuple[nn.Sequential, tuple[int, ...]]:
    layers: list[nn.Module] = []
    taps, channels = [], 3
    for part in _ALEX:
        if part == "pool":
            layers.append(nn.MaxPool2d(3, 2))
            continue
        width, kernel, stride, padding = map(int, part.split(","))
        layers += [nn.Conv2d(channels, width, kernel, stride, padding), nn.ReLU()]
        taps.append(len(layers) - 1)
        channels = width
    return nn.Sequential(*layers), tuple(taps)


def _vgg16() -> tuple[nn.Sequential, tuple[int, ...]]:
    layers, places = vgg_layers("vgg16")
    return nn.Sequential(*layers), tuple(places[name] + 1 for name in _VGG_TAPS)


def _grey(luma: Tensor) -> Tensor:
    return (luma.float() / 127.5 - 1)[:, None].expand(-1, 3, -1, -1)
