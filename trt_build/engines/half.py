"""Casts models to float16 or bfloat16 while inputs and outputs keep their types: TensorRT is strongly typed.

The converters of onnxconverter-common and of ONNX Runtime were tried first: the former fails on ``rrdn_compact``, the latter
rounds the input before the float32 nodes, and neither supports bfloat16.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.shape_inference import infer_shapes

from trt_build.engines.graph import constants_of, kept_nodes, replace_nodes
from trt_build.errors import ExportError

_KINDS = {"fp16": (TensorProto.FLOAT16, 65504.0), "bf16": (TensorProto.BFLOAT16, 3.3e38)}
"""ONNX type and largest number of each precision."""
_FLOAT_INPUTS = {"Resize": (1, 2)}
"""Operators' inputs that are always float32."""


def cast_graph(model: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    """Return a copy whose nodes compute in another type, except for ``kept_nodes``, with casts in between.

    Args:
        model: from ``plain_graph``.
        precision: ``fp16`` or ``bf16``.

    Raises:
        ExportError: a weight is larger than the type can hold.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _Caster(copy, precision).cast()
    return copy


class _Caster:
    def __init__(self, model: onnx.ModelProto, precision: str) -> None:
        self._model, self._graph, self._precision = model, model.graph, precision
        self._kind, self._largest = _KINDS[precision]
        self._kept = set(kept_nodes(model))
        self._constants = constants_of(model)
        known = infer_shapes(model).graph
        self._types = {
            value.name: value.type.tensor_type.elem_type for value in [*known.value_info, *known.input, *known.output]
        }
        self._types |= {tensor.name: tensor.data_type for tensor in self._graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._made: dict[tuple[str, int], str] = {}

    def cast(self) -> None:
        for node in list(self._graph.node):
            self._one(node)
        del self._graph.value_info[:]
        replace_nodes(self._graph, self._nodes)

    def _one(self, node: onnx.NodeProto) -> None:
        kind = TensorProto.FLOAT if node.name in self._kept else self._kind
        floats = (TensorProto.FLOAT, self._kind)
        always = _FLOAT_INPUTS.get(node.op_type, ())
        for place, name in enumerate(node.input):
            if self._types.get(name) in floats:
                node.input[place] = self._as(name, TensorProto.FLOAT if place in always else kind)
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind
        self._types |= {name: kind for name in node.output if self._types.get(name) == TensorProto.FLOAT}
        self._nodes.append(node)

    def _as(self, name: str, kind: int) -> str:
        """Return the name of a tensor in a type, adding a cast at the first request."""
        if self._types[name] == kind:
            return name
        if (name, kind) not in self._made:
            self._made[name, kind] = made = f"{name}_{TensorProto.DataType.Name(kind).lower()}"
            self._types[made] = kind
            if name in self._constants:
                self._graph.initializer.append(self._weight(name, made))
            else:
                self._nodes.append(helper.make_node("Cast", [name], [made], name=f"cast_{made}", to=kind))
        return self._made[name, kind]

    def _weight(self, name: str, made: str) -> onnx.TensorProto:
        values = numpy_helper.to_array(self._constants[name])
        if values.size and float(np.abs(values).max()) > self._largest:
            raise ExportError(
                f"'{self._graph.name}' cannot be cast to {self._precision}: its weight {name} is too large for it."
            )
        return helper.make_tensor(made, self._kind, values.shape, _bytes(values, self._kind), raw=True)


def _bytes(values: NDArray[np.float32], kind: int) -> bytes:
    if kind == TensorProto.FLOAT16:
        return values.astype(np.float16).tobytes()
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).tobytes()  # round to nearest, ties to even
