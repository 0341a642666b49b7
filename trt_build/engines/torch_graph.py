"""Converts an ONNX model to a torch module, so that all targets compute the same graph after casting, masking and adding
pixels.

Only the operations of our own networks are supported; others are refused by name. Of the existing converters, onnx2torch 1.5
lacks the padding of opset 18, and torch cannot export the result of onnx2pytorch 0.6 for free sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from trt_build.errors import ExportError

_TYPES = {
    TensorProto.FLOAT: torch.float32, TensorProto.FLOAT16: torch.float16, TensorProto.BFLOAT16: torch.bfloat16,
    TensorProto.UINT8: torch.uint8, TensorProto.INT8: torch.int8, TensorProto.INT32: torch.int32,
    TensorProto.INT64: torch.int64, TensorProto.BOOL: torch.bool,
}  # fmt: skip
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)


class TorchGraph(nn.Module):
    """Computes an ONNX model; its arguments are the inputs, and it returns all outputs.

    Args:
        model: from ``plain_graph``, or derived from that.

    Raises:
        ExportError: it contains an unsupported operation.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self._nodes = [_Node(node) for node in model.graph.node]
        if unknown := sorted({node.kind for node in self._nodes} - _OPERATIONS.keys()):
            raise ExportError(f"'{model.graph.name}' cannot become a module of torch: it holds {', '.join(unknown)}.")
        self._inputs = [one.name for one in model.graph.input]
        self._outputs = [one.name for one in model.graph.output]
        factors = {name for node in self._nodes if node.kind == "Resize" for name in node.inputs[1:]}
        self._weights: dict[str, str] = {}
        self._settings: dict[str, list[Any]] = {}
        for tensor in model.graph.initializer:
            if tensor.data_type in _FLOATS and len(tensor.dims) and tensor.name not in factors:
                self._weights[tensor.name] = f"weight{len(self._weights)}"
                values = torch.from_numpy(np.array(numpy_helper.to_array(tensor), np.float32))
                self.register_buffer(self._weights[tensor.name], values.to(_TYPES[tensor.data_type]))
            else:  # constant parameters, such as the sides of a padding
                self._settings[tensor.name] = numpy_helper.to_array(tensor).astype(float).tolist()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        known: dict[str, Any] = dict(zip(self._inputs, inputs, strict=True)) | self._settings
        known |= {name: getattr(self, weight) for name, weight in self._weights.items()}
        for node in self._nodes:
            known[node.output] = _OPERATIONS[node.kind](node.attributes, *(known.get(name) for name in node.inputs))
        return tuple(known[name] for name in self._outputs)


class _Node:
    def __init__(self, node: onnx.NodeProto) -> None:
        self.kind = node.op_type
        self.inputs, self.output = list(node.input), node.output[0]
        self.attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}


Attributes = Mapping[str, Any]


def _convolution(how: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    pads = how.get("pads", [0, 0, 0, 0])
    if pads[:2] != pads[2:]:
        x, pads = functional.pad(x, (pads[1], pads[3], pads[0], pads[2])), [0, 0]
    steps, gaps = how.get("strides", [1, 1]), how.get("dilations", [1, 1])
    return functional.conv2d(x, weight, bias, tuple(steps), tuple(pads[:2]), tuple(gaps), how.get("group", 1))


def _pad(how: Attributes, x: Tensor, pads: list[float], value: Any = None, axes: Any = None) -> Tensor:
    before, behind = np.array(pads, int).reshape(2, -1)
    if axes is not None or before[:2].any() or behind[:2].any():
        raise ExportError("only pictures can be padded in torch, at their sides.")
    sides = (int(before[3]), int(behind[3]), int(before[2]), int(behind[2]))
    mode = {"edge": "replicate", "reflect": "reflect", "constant": "constant"}[how.get("mode", b"constant").decode()]
    return functional.pad(x, sides, mode, float(value or 0)) if mode == "constant" else functional.pad(x, sides, mode)


def _shuffle(how: Attributes, x: Tensor) -> Tensor:
    if how.get("mode", b"DCR") == b"CRD":
        return functional.pixel_shuffle(x, how["blocksize"])
    side = how["blocksize"]
    count, channels, height, width = x.shape
    split = x.reshape(count, side, side, channels // side**2, height, width)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(count, channels // side**2, height * side, width * side)


_MODES = {b"linear": "bilinear", b"cubic": "bicubic"}


def _resize(how: Attributes, x: Tensor, region: Any = None, scales: Any = None, sizes: Any = None) -> Tensor:
    mode = how.get("mode", b"nearest")
    places = how.get("coordinate_transformation_mode", b"half_pixel")
    if not scales or scales[2] != scales[3] or scales[2] % 1 or (places == b"half_pixel") != (mode != b"nearest"):
        raise ExportError("only whole multiples of a size, of pixels where torch has them, can be had in torch.")
    if mode == b"nearest":
        return functional.interpolate(x, scale_factor=scales[2], mode="nearest")
    return functional.interpolate(x, scale_factor=scales[2], mode=_MODES[mode], align_corners=False)


def _gemm(how: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    product: Tensor = (x.T if how.get("transA") else x) @ (weight.T if how.get("transB") else weight) * how.get("alpha", 1.0)
    return product if bias is None else product + bias * how.get("beta", 1.0)


def _mean(how: Attributes, x: Tensor, axes: list[float] | None = None) -> Tensor:
    chosen = how.get("axes") or axes
    dims = tuple(range(x.ndim)) if chosen is None else tuple(int(axis) for axis in chosen)
    return x.mean(dims, keepdim=bool(how.get("keepdims", 1)))


def _gather(how: Attributes, x: Tensor, indices: Any) -> Tensor:
    axis = how.get("axis", 0)
    if isinstance(indices, float):
        return x.select(axis, int(indices))
    return x.index_select(axis, torch.tensor(indices, dtype=torch.int64, device=x.device))


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": lambda how, a, b: a + b,
    "Cast": lambda how, x: x.to(_TYPES[how["to"]]),
    "Clip": lambda how, x, low=None, high=None: x.clamp(low, high),
    "Concat": lambda how, *parts: torch.cat(parts, how["axis"]),
    "Conv": _convolution,
    "DepthToSpace": _shuffle,
    "Div": lambda how, a, b: a / b,
    "Flatten": lambda how, x: x.flatten(how.get("axis", 1)),
    "Gather": _gather,
    "Gemm": _gemm,
    "LeakyRelu": lambda how, x: functional.leaky_relu(x, how.get("alpha", 0.01)),
    "MatMul": lambda how, a, b: a @ b,
    "Mul": lambda how, a, b: a * b,
    "PRelu": lambda how, x, slope: torch.where(x >= 0, x, x * slope),
    "Pad": _pad,
    "Pow": lambda how, x, power: x**power,
    "ReduceMean": _mean,
    "Relu": lambda how, x: x.relu(),
    "Resize": _resize,
    "Round": lambda how, x: x.round(),
    "Sigmoid": lambda how, x: x.sigmoid(),
    "Sqrt": lambda how, x: x.sqrt(),
    "Sub": lambda how, a, b: a - b,
    "Transpose": lambda how, x: x.permute(tuple(how["perm"])),
}
