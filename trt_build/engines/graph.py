"""The starting point of casting and quantising: a model with plain float32 weights, and the nodes that stay in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx

from engine.contracts.engine_manifest import Tensor
from engine.sessions.subgraph import part_for

_WEIGHTED = frozenset(("Conv", "ConvTranspose", "Gemm", "MatMul"))


def plain_graph(model: Path, output: str, name: str) -> onnx.ModelProto:
    """Return a model with a name for every node and float32 weights, even if the file stores them as float16.

    Args:
        model: the ONNX file.
        output: the only output to keep; empty: all.
        name: its name in messages.

    Raises:
        ModelError: it is not an ONNX file, or has no such output.
    """
    content = part_for(output, model, name) if output else model.read_bytes()
    whole = onnx.load_model_from_string(content)
    _unfold_weights(whole.graph)
    for number, node in enumerate(whole.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return whole


def kept_nodes(model: onnx.ModelProto, last: int = 1) -> list[str]:
    """Return the nodes that stay in float32, in order: those up to and including the first convolution of their path, and from
    the last one on.

    They include the bicubic picture to which a generator adds its detail: its single convolution is both first and last. A
    matrix product counts as a convolution.

    Args:
        model: with a unique name for every node.
        last: number of convolutions at the end that count as last.
    """
    nodes = list(model.graph.node)
    before = _convolutions(nodes, lambda node: node.input, lambda node: node.output)
    behind = _convolutions(reversed(nodes), lambda node: node.output, lambda node: node.input)
    return [node.name for node in nodes if before[node.name] == 0 or behind[node.name] < last]


def tensors_of(model: onnx.ModelProto) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the inputs and the outputs; a free dimension is None."""
    return tuple(map(_tensor, model.graph.input)), tuple(map(_tensor, model.graph.output))


def constants_of(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """Return the weights by name."""
    return {tensor.name: tensor for tensor in model.graph.initializer}


def replace_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Replace a graph's nodes, leaving out unused nodes and weights.

    Args:
        graph: modified in place.
        nodes: in topological order.
    """
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    kept.reverse()
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(weights)


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)
    return Tensor(value.name, str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)), shape)


_Names = Callable[[onnx.NodeProto], Iterable[str]]


def _convolutions(nodes: Iterable[onnx.NodeProto], entries: _Names, exits: _Names) -> dict[str, int]:
    """Return the number of convolutions on the longest path to each node, excluding the node itself; ``nodes`` are in
    topological order.
    """
    reached: dict[str, int] = {}
    found = {}
    for node in nodes:
        count = found[node.name] = max((reached.get(tensor, 0) for tensor in entries(node)), default=0)
        for tensor in exits(node):
            reached[tensor] = max(reached.get(tensor, 0), count + (node.op_type in _WEIGHTED))
    return found


def _unfold_weights(graph: onnx.GraphProto) -> None:
    """Replace weights that are stored in another type and cast at load time by float32 weights."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    rest = []
    for node in graph.node:
        kind = next((attribute.i for attribute in node.attribute if attribute.name == "to"), 0)
        if node.op_type != "Cast" or node.input[0] not in constants or kind != onnx.TensorProto.FLOAT:
            rest.append(node)
            continue
        values = onnx.numpy_helper.to_array(constants[node.input[0]]).astype(np.float32)
        graph.initializer.append(onnx.numpy_helper.from_array(values, node.output[0]))
    replace_nodes(graph, rest)
