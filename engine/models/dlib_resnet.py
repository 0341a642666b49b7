"""dlib's face recognition network as an ONNX graph, for every runtime and in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from engine.models.dlib_weights import BLOCKS, Convolution, DlibWeights

CHIP_PX = 150
INPUT, OUTPUT = "chip", "vector"
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
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        name = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
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
        graph = helper.make_graph(
            self._nodes,
            "dlib_face_recognition_resnet_v1",
            [helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, ["N", 3, CHIP_PX, CHIP_PX])],
            [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["N", 128])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="facestream")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())
