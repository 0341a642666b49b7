"""Quantises convolutions to 8-bit floating point (E4M3): the Q/DQ graph of int8 with other types and scales.

The largest value of a tensor becomes E4M3's largest number, as in NVIDIA's ModelOpt. ONNX Runtime's own quantiser supports
E4M3, too, but scales by the standard deviation, so that outliers are clipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, version_converter

from engine.sessions.tensors import Tensor
from trt_build.engines.graph import constants_of
from trt_build.engines.int8 import int8_graph
from trt_build.errors import ExportError, first_line

_OPSET, _IR = 19, 9
"""First opset and IR version with the type."""
_INT8, _E4M3 = 127.0, 448.0
"""Largest numbers of the types."""


def fp8_graph(model: onnx.ModelProto, inputs: Sequence[Tensor]) -> onnx.ModelProto:
    """Return a copy with Q/DQ around its convolutions, except for ``int8_kept``.

    Args:
        model: from ``plain_graph``.
        inputs: see ``int8_graph``.

    Raises:
        ExportError: the quantiser cannot do it, or the model cannot be converted to opset 19.
    """
    modern = _modern(model)
    quantised = int8_graph(modern, inputs, symmetric=True)
    constants, exact = constants_of(quantised), constants_of(modern)
    nodes = [node for node in quantised.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    for scale in {node.input[1] for node in nodes}:
        _widen(constants[scale])
    for zero in {node.input[2] for node in nodes}:
        _put(np.zeros(tuple(constants[zero].dims), np.float32), constants[zero])
    for node in nodes:
        if (name := node.input[0]) in constants:
            values = _array(exact[name.removesuffix("_quantized")])
            _put(values / _along(_array(constants[node.input[1]]), node, values.ndim), constants[name])
    return quantised


def _modern(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in an opset with the type."""
    (opset,) = (one.version for one in model.opset_import if not one.domain)
    try:
        made = version_converter.convert_version(model, _OPSET) if opset < _OPSET else model
    except Exception as error:  # the converter has no exception class of its own
        raise ExportError(f"'{model.graph.name}' cannot be converted to opset {_OPSET}: {first_line(error)}.") from error
    copy = onnx.ModelProto()
    copy.CopyFrom(made)
    copy.ir_version = max(copy.ir_version, _IR)
    return copy


def _widen(scale: onnx.TensorProto) -> None:
    scale.CopyFrom(numpy_helper.from_array(_array(scale) * np.float32(_INT8 / _E4M3), scale.name))


def _put(values: NDArray[np.float32], tensor: onnx.TensorProto) -> None:
    """Replace the integers of a tensor by E4M3 values."""
    tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.FLOAT8E4M3FN, values.shape, values.ravel()))


def _along(scales: NDArray[np.float32], node: onnx.NodeProto, dimensions: int) -> NDArray[np.float32]:
    """Return the scales of a weight, shaped for broadcasting along their dimension."""
    axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
    return scales.reshape([-1 if at == axis % dimensions else 1 for at in range(dimensions)])


def _array(tensor: onnx.TensorProto) -> NDArray[np.float32]:
    return np.asarray(numpy_helper.to_array(tensor), np.float32)
