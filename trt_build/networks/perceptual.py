"""Distances between pictures as a trained network sees them.

The papers use VGG networks trained on ImageNet; their weights cannot be shipped and are read from a path. The default,
``dlib``, needs no weights: it uses the first blocks of dlib's face network, which comes with the embedder. It was trained on
faces only, so it says little about other pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_weights import BLOCKS, read_dlib_weights
from trt_build.errors import RecipeError
from trt_build.networks.dlib_resnet import DlibResNet
from trt_build.networks.imagenet import vgg_layers
from trt_build.recipes.losses import PerceptualSpec

USUAL = {"dlib": ("1", "4"), "vgg16": ("2_2", "3_3"), "vgg19": ("2_2", "5_4")}
"""Layers if a recipe names none. For dlib: after this many blocks, at a quarter and an eighth of the size; for VGG: block and
convolution, before ReLU; 2_2 and 3_3 of VGG16 are the reduced loss of the compact ESRGAN, 5_4 of VGG19 is SRGAN's.
"""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class DlibFeatures(nn.Module):
    """Luma (N, 1, S, S) in [0, 1] to the activations after some of dlib's blocks, largest first."""

    def __init__(self, layers: Sequence[str]) -> None:
        """Read the packaged network.

        Raises:
            RecipeError: it has no such block.
        """
        super().__init__()
        known = [str(block) for block in range(len(BLOCKS) + 1)]
        if unknown := [layer for layer in layers if layer not in known]:
            raise RecipeError(f"loss.perceptual.layers: dlib has no {unknown[0]} (it has {', '.join(known)}).")
        self._after = sorted(int(layer) for layer in layers)
        self._network = DlibResNet(read_dlib_weights(packaged_weights())).eval().requires_grad_(False)

    def forward(self, luma: Tensor) -> list[Tensor]:
        return self._network.features(255 * luma.clamp(0, 1), self._after)


class VggFeatures(nn.Module):
    """Luma (N, 1, H, W) in [0, 1] to the activations of a VGG network's layers, before ReLU."""

    def __init__(self, network: str, layers: Sequence[str], weights: Path) -> None:
        """Read a state dict with the keys ``features.N.weight`` and ``features.N.bias``.

        Raises:
            RecipeError: there is no such file, or it holds another network.
        """
        super().__init__()
        modules, names = vgg_layers(network)
        if unknown := [layer for layer in layers if layer not in names]:
            raise RecipeError(f"loss.perceptual.layers: {network} has no {unknown[0]} (it has {', '.join(names)}).")
        self._wanted = {names[layer] for layer in layers}
        self._layers = nn.Sequential(*modules[: max(self._wanted) + 1])
        self._layers.load_state_dict(_state_of(weights, network, self._layers))
        self.eval().requires_grad_(False)
        self._mean: Tensor
        self._deviation: Tensor
        self.register_buffer("_mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("_deviation", torch.tensor(_DEVIATION).reshape(1, 3, 1, 1))

    def forward(self, luma: Tensor) -> list[Tensor]:
        features, found = (luma - self._mean) / self._deviation, []
        for index, layer in enumerate(self._layers):
            features = layer(features)
            if index in self._wanted:
                found.append(features)
        return found


def _state_of(path: Path, network: str, layers: nn.Module) -> dict[str, Tensor]:
    if not path.is_file():
        raise RecipeError(
            f"loss.perceptual needs the weights of {network} trained on ImageNet, and there is no file '{path}': give "
            "loss.perceptual.weights the path of torchvision's state dict, or network: dlib, which needs none."
        )
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return {key: stored[f"features.{key}"] for key in layers.state_dict()}
    except Exception as error:
        raise RecipeError(f"'{path}' is not a state dict of {network} in torchvision's layout ({error}).") from None


def build_features(spec: PerceptualSpec) -> nn.Module:
    """Make the feature network of a recipe, frozen."""
    layers = spec.layers or USUAL[spec.network]
    if spec.network == "dlib":
        return DlibFeatures(layers)
    return VggFeatures(spec.network, layers, Path(spec.weights))


class PerceptualLoss(nn.Module):
    """Mean distance of the features of two pictures over the layers; each layer counts the same.

    Features are divided by their mean magnitude for the truth, so that the figure means the same for every network and layer.
    """

    def __init__(self, spec: PerceptualSpec) -> None:
        super().__init__()
        self._features = build_features(spec)
        self._distance = functional.l1_loss if spec.distance == "l1" else functional.mse_loss

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Scalar loss; ``target`` gets no gradient."""
        with torch.no_grad():
            wanted = self._features(target)
        pairs = zip(self._features(output), wanted, strict=True)
        scales = [one.abs().mean().clamp(min=1e-6) for one in wanted]
        losses = [self._distance(found / scale, one / scale) for (found, one), scale in zip(pairs, scales, strict=True)]
        return torch.stack(losses).mean()
