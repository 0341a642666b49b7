"""Networks that are trained on ImageNet, in torchvision's layout, whose weights the user brings."""

from __future__ import annotations

from torch import nn

_HALVE = 0
_VGG = {
    "vgg16": (64, 64, _HALVE, 128, 128, _HALVE, *(256,) * 3, _HALVE, *(512,) * 3, _HALVE, *(512,) * 3),
    "vgg19": (64, 64, _HALVE, 128, 128, _HALVE, *(256,) * 4, _HALVE, *(512,) * 4, _HALVE, *(512,) * 4),
}
"""Channels of the 3x3 convolutions, and where the picture is halved (Simonyan and Zisserman 2015)."""


def vgg_layers(name: str) -> tuple[list[nn.Module], dict[str, int]]:
    """Return the layers of ``vgg16`` or ``vgg19`` up to the last ReLU, and the index of each convolution.

    Convolutions are named by block and number, as ``2_2``; a ReLU follows each.
    """
    layers: list[nn.Module] = []
    places, channels, block, number = {}, 3, 1, 0
    for width in _VGG[name]:
        if width == _HALVE:
            layers.append(nn.MaxPool2d(2))
            block, number = block + 1, 0
            continue
        number += 1
        places[f"{block}_{number}"] = len(layers)
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return layers, places
