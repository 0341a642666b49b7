"""dlib's face recognition network as an ONNX graph, for every runtime and in batches."""

from __future__ import annotations

import numpy as np

from engine.models.dlib_weights import BLOCKS, Convolution, DlibWeights
from engine.models.onnx_file import FLOAT, INT64, INTS, new_model

CHIP_PX = 150
INPUT, OUTPUT = "chip", "vector"
VECTOR_LENGTH = 128
_OPSET = 17
_IR_VERSION = 8
"""Of the same year as that opset: older runtimes refuse newer files."""
_PIXEL_SCALE = 1 / 256


def build_dlib_resnet(weights: DlibWeights) -> bytes:
    """Return an ONNX model: ``chip`` (N, 3, 150, 150) float32 RGB from 0 to 255 to ``vector`` (N, 128), not normalised.

    The layers are those of dlib's example ``dnn_face_recognition_ex.cpp``: no padding where the stride is 2, and a sum of two
    maps of different sizes or channels fills the smaller one with zeros (He et al., "Deep residual learning for image
    recognition", 2016, option A).
    """
    graph = _Graph()
    stem = weights.stem
    mean = weights.mean_rgb * _PIXEL_SCALE
    folded = Convolution(stem.weight * _PIXEL_SCALE, stem.bias - np.einsum("oihw,i->o", stem.weight, mean))
    name = graph.relu(graph.convolution(INPUT, folded, stride=2))
    name = graph.node("MaxPool", [name], kernel_shape=[3, 3], strides=[2, 2])
    side, channels = _side_after(_side_after(CHIP_PX, 7), 3), len(stem.bias)
    for (first, second), (channels_out, stride) in zip(weights.blocks, BLOCKS, strict=True):
        inside = graph.relu(graph.convolution(name, first, stride))
        inside = graph.convolution(inside, second, 1)
        around = name if stride == 1 else graph.node("AveragePool", [name], kernel_shape=[2, 2], strides=[2, 2])
        around_side = side if stride == 1 else _side_after(side, 2)
        side = side if stride == 1 else _side_after(side, 3)
        wanted = max(side, around_side)
        inside = graph.grow(inside, 0, wanted - side)
        around = graph.grow(around, channels_out - channels, wanted - around_side)
        name = graph.relu(graph.node("Add", [inside, around]))
        side, channels = wanted, channels_out
    name = graph.node("Flatten", [graph.node("GlobalAveragePool", [name])])
    graph.node("MatMul", [name, graph.constant(weights.projection)], output=OUTPUT)
    return graph.model()


def _side_after(side: int, kernel: int) -> int:
    """Of a map, after a window that moves by two and stays inside."""
    return (side - kernel) // 2 + 1


class _Graph:
    """Nodes in order; each method returns the name of its result."""

    def __init__(self) -> None:
        self._model = new_model()
        self._graph = self._model.graph
        self._graph.name = "dlib_face_recognition_resnet_v1"

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: list[int]) -> str:
        name = output or f"{kind.lower()}_{len(self._graph.node)}"
        node = self._graph.node.add(op_type=kind, input=inputs, output=[name])
        for attribute, values in attributes.items():
            node.attribute.add(name=attribute, type=INTS, ints=values)
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self._graph.initializer)}"
        kind = INT64 if values.dtype == np.int64 else FLOAT
        self._graph.initializer.add(name=name, dims=values.shape, data_type=kind, raw_data=values.tobytes())
        return name

    def convolution(self, name: str, layer: Convolution, stride: int) -> str:
        side = layer.weight.shape[2]
        around = side // 2 if stride == 1 else 0
        inputs = [name, self.constant(layer.weight), self.constant(layer.bias)]
        return self.node("Conv", inputs, kernel_shape=[side, side], strides=[stride, stride], pads=[around] * 4)

    def relu(self, name: str) -> str:
        return self.node("Relu", [name])

    def grow(self, name: str, channels: int, pixels: int) -> str:
        """Add channels, rows and columns of zeros at the end."""
        if not channels and not pixels:
            return name
        return self.node("Pad", [name, self.constant(np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64))])

    def model(self) -> bytes:
        for end, name, sides in (
            (self._graph.input, INPUT, (3, CHIP_PX, CHIP_PX)),
            (self._graph.output, OUTPUT, (VECTOR_LENGTH,)),
        ):
            tensor = end.add(name=name).type.tensor_type
            tensor.elem_type = FLOAT
            tensor.shape.dim.add(dim_param="N")
            for side in sides:
                tensor.shape.dim.add(dim_value=side)
        self._model.ir_version, self._model.producer_name = _IR_VERSION, "facestream"
        self._model.opset_import.add(version=_OPSET)
        return bytes(self._model.SerializeToString())
