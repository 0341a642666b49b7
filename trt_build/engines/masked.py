"""Adds a mask to a generator, so that a padded picture gives the same numbers as the picture alone.

Runtimes that compile kernels for each size, and batches, need few sizes. But a padded picture is enlarged differently near its
edge, because a network learns its own zero padding: reflection cost faces of 16 to 36 px 0.1 dB. So the input of each
zero-padding convolution is multiplied by a mask, as if the picture ended there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

from engine.contracts.engine_manifest import MASK

_BY_PIXEL = frozenset(("Add", "Clip", "Concat", "LeakyRelu", "Mul", "PRelu", "Relu", "Sigmoid", "Sub"))


def masked_graph(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return a copy with the mask as its second input; None if a mask does not suffice for the model.

    It suffices for convolutions of stride 1 at the size of the picture, and for pixel shuffles after them. An edge that is
    repeated, as in the bicubic picture, must be that of the input; the caller pads the picture by repeating it, too.

    Args:
        model: a generator from ``plain_graph`` with one input, (N, C, H, W).
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    entry = graph.input[0].name
    if not _can_be_masked(graph, entry):
        return None
    nodes = [helper.make_node("Cast", [MASK], ["inside_as_float"], name="inside_as_float", to=TensorProto.FLOAT)]
    kept: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "Conv" and any(_attribute(node, "pads", [0])):
            source = node.input[0]
            if source not in kept:
                kept[source] = f"{source}_inside"
                nodes.append(helper.make_node("Mul", [source, "inside_as_float"], [kept[source]], name=kept[source]))
            node.input[0] = kept[source]
        nodes.append(node)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    dims = [dim.dim_param or dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim]
    graph.input.append(helper.make_tensor_value_info(MASK, TensorProto.UINT8, [dims[0], 1, *dims[2:]]))
    return copy


def _can_be_masked(graph: onnx.GraphProto, entry: str) -> bool:
    kernels = {tensor.name: tuple(tensor.dims[2:]) for tensor in graph.initializer}
    at_its_size, with_edge, shuffled = {entry}, set[str](), set[str]()
    for node in graph.node:
        inputs = {name for name in node.input if name and name not in kernels}
        pads = _attribute(node, "pads", [0] * 4)
        if (node.op_type in _BY_PIXEL and inputs <= at_its_size) or (
            node.op_type == "Conv" and inputs <= at_its_size and _keeps_size(node, kernels, pads)
        ):
            at_its_size.update(node.output)
        elif node.op_type == "Pad" and inputs == {entry} and _attribute(node, "mode", b"constant") == b"edge":
            with_edge.update(node.output)
        elif node.op_type == "Conv" and inputs <= with_edge and not any(pads):
            at_its_size.update(node.output)
        elif (node.op_type == "DepthToSpace" and inputs <= at_its_size) or (node.op_type in _BY_PIXEL and inputs <= shuffled):
            shuffled.update(node.output)
        else:
            return False
    return True


def _keeps_size(node: onnx.NodeProto, kernels: dict[str, tuple[int, ...]], pads: Sequence[int]) -> bool:
    steps = [*_attribute(node, "strides", [1]), *_attribute(node, "dilations", [1])]
    sides = kernels.get(node.input[1], ())
    return set(steps) == {1} and bool(sides) and list(pads) == [(side - 1) // 2 for side in sides] * 2


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), default)
