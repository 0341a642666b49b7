"""Reads the file of dlib's face recognition network, which dlib writes as a flat series of objects, without dlib.

What is read is how dlib 19 and 20 serialise ``loss_metric<fc_no_bias<128, avg_pool_everything<...>>>``, the network of its
example ``dnn_face_recognition_ex.cpp``: whole numbers as a length byte and little-endian bytes, tensors as four lengths and
float32, strings as a length and bytes; then layer after layer from the input to the output, each begun by its name and version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contracts.frames import Float32
from engine.errors import ModelError

_STEM = (32, 3, 7, 7)
BLOCKS = (
    ((32, 1),) * 3 + ((64, 2),) + ((64, 1),) * 3 + ((128, 2),) + ((128, 1),) * 2 + ((256, 2),) + ((256, 1),) * 2 + ((256, 2),)
)
"""Channels and stride of each residual block, from the input to the output."""
_TENSOR_VERSION = 2


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution with the affine layer behind it folded in, which replaced batch normalisation after training."""

    weight: Float32
    """(channels out, channels in, height, width), for correlation as everywhere today."""
    bias: Float32
    """(channels out,)"""


@dataclass(frozen=True, slots=True)
class DlibWeights:
    """The network: a stem, residual blocks of two convolutions each, and a projection."""

    mean_rgb: Float32
    """(3,) of pixels from 0 to 255; what is left is divided by 256."""
    stem: Convolution
    blocks: tuple[tuple[Convolution, Convolution], ...]
    projection: Float32
    """(256, 128): features times this is the vector."""

    @property
    def size(self) -> int:
        """How many numbers these are."""
        layers = [self.stem, *(layer for block in self.blocks for layer in block)]
        return sum(layer.weight.size + layer.bias.size for layer in layers) + self.projection.size


def read_dlib_weights(path: Path) -> DlibWeights:
    """Read ``dlib_face_recognition_resnet_model_v1.dat``.

    Raises:
        ModelError: the file cannot be read, or is not this network.
    """
    try:
        reader = _Reader(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    try:
        mean_rgb = reader.input_mean()
        stem = reader.convolution(_STEM)
        blocks, channels_in = [], _STEM[0]
        for channels, _ in BLOCKS:
            first = reader.convolution((channels, channels_in, 3, 3))
            blocks.append((first, reader.convolution((channels, channels, 3, 3))))
            channels_in = channels
        return DlibWeights(mean_rgb, stem, tuple(blocks), reader.projection((channels_in, 128)))
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path} is not dlib's face recognition model: {error}") from error


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def input_mean(self) -> Float32:
        """The mean colour that the input layer takes away."""
        self._seek("input_rgb_image_sized")
        return np.array([self._number(), self._number(), self._number()], np.float32)

    def convolution(self, shape: tuple[int, int, int, int]) -> Convolution:
        """The next convolution with the affine layer behind it."""
        self._seek("con_4")
        filters, biases = np.split(self._tensor(), [math.prod(shape)])
        self._seek("affine_")
        gamma, beta = np.split(self._tensor(), 2)
        if not len(filters) == math.prod(shape) or not len(biases) == len(gamma) == shape[0]:
            raise ValueError(f"it has a convolution of another size than {'x'.join(map(str, shape))}")
        weight = filters.reshape(shape) * gamma[:, None, None, None]
        return Convolution(weight, biases * gamma + beta)

    def projection(self, shape: tuple[int, int]) -> Float32:
        """The fully connected layer at the end."""
        self._seek("fc_2")
        _, _ = self._whole(), self._whole()  # outputs and inputs, which the tensor repeats
        weight = self._tensor()
        if len(weight) != math.prod(shape):
            raise ValueError(f"it does not end in a projection of {'x'.join(map(str, shape))}")
        return weight.reshape(shape)

    def _seek(self, name: str) -> None:
        """Go on behind the next string of this name; layers without weights are passed over."""
        text = bytes([1, len(name)]) + name.encode()
        found = self._data.find(text, self._at)
        if found < 0:
            raise ValueError(f"it has no further layer {name}")
        self._at = found + len(text)

    def _tensor(self) -> Float32:
        """All values, flat."""
        if self._whole() != _TENSOR_VERSION:
            raise ValueError("a tensor is written in an unknown version")
        count = math.prod(self._whole() for _ in range(4))
        values = np.frombuffer(self._data, "<f4", count, self._at).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("a weight is not a number")
        self._at += 4 * count
        return values

    def _whole(self) -> int:
        """A whole number: the lowest bits of the first byte count the bytes that follow, the highest one is the sign."""
        length, negative = self._data[self._at] & 0x0F, self._data[self._at] & 0x80
        if not 1 <= length <= 8:
            raise ValueError("a number is malformed")
        value = int.from_bytes(self._data[self._at + 1 : self._at + 1 + length], "little")
        self._at += 1 + length
        return -value if negative else value

    def _number(self) -> float:
        """A floating-point number: mantissa and exponent of two."""
        mantissa = self._whole()
        return math.ldexp(mantissa, self._whole())
