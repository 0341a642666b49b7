"""Replaces float32 matrix products by convolutions: TensorRT-RTX cannot compile the former for Turing (7.5)."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.shape_inference import infer_shapes

from trt_build.engines.graph import constants_of, replace_nodes

_FLATTENING = ("Flatten", "Reshape")


def dense_as_convolution(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in which the product of a flattened picture and a matrix is an equivalent convolution.

    Products of other forms are unchanged.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    known = infer_shapes(copy).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in [*known.value_info, *known.input]
    }
    makers = {name: node for node in graph.node for name in node.output}
    nodes = []
    for node in graph.node:
        made = _convolution(node, makers, shapes, graph) if node.op_type in ("MatMul", "Gemm") else None
        nodes += made or [node]
    replace_nodes(graph, nodes)
    return copy


def _convolution(
    node: onnx.NodeProto, makers: dict[str, onnx.NodeProto], shapes: dict[str, list[int]], graph: onnx.GraphProto
) -> list[onnx.NodeProto] | None:
    """Return the convolution and the node that flattens its result; None if the product has another form."""
    constants = constants_of(onnx.ModelProto(graph=graph))
    flat = makers.get(node.input[0])
    if flat is None or flat.op_type not in _FLATTENING or node.input[1] not in constants:
        return None
    shape = shapes.get(flat.input[0], [])
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    weights = numpy_helper.to_array(constants[node.input[1]])
    weights = weights if values.get("transB") else weights.T
    if len(shape) != 4 or int(np.prod(shape[1:])) != weights.shape[1] or values.get("transA") or weights.ndim != 2:
        return None
    if any(values.get(name, 1.0) != 1.0 for name in ("alpha", "beta")):
        return None
    name = f"{node.name}_kernel"
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weights.reshape(len(weights), *shape[1:])), name))
    return [
        helper.make_node("Conv", [flat.input[0], name, *node.input[2:]], [f"{node.name}_picture"], name=node.name),
        helper.make_node("Flatten", [f"{node.name}_picture"], list(node.output), name=f"{node.name}_flat", axis=1),
    ]
