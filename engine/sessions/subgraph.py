"""Cuts out the part of an ONNX model that one of its outputs needs.

No runtime leaves out the rest by itself: ONNX Runtime 1.31 computes every node of a file, whichever output is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.onnx_file import read_model


def part_for(output: str, model: Path | bytes, name: str) -> bytes:
    """Return the model with this output alone, and only the nodes and weights that it needs.

    Args:
        output: its name.
        model: the file, or its content.
        name: name of the model in messages.

    Raises:
        ModelError: it is not an ONNX file, or it has no such output.
    """
    whole = read_model(model, name)
    graph = whole.graph
    outputs = [one.name for one in graph.output]
    if output not in outputs:
        found = ", ".join(outputs) or "none"
        raise ModelError(f"{name} has no output {output!r}, but {found}: correct output in its manifest")
    needed = _needed(output, graph)
    for kept, wanted in (
        (graph.node, lambda node: not needed.isdisjoint(node.output)),
        (graph.initializer, lambda tensor: tensor.name in needed),
        (graph.value_info, lambda value: value.name in needed),
        (graph.output, lambda value: value.name == output),
    ):
        for place in reversed(range(len(kept))):
            if not wanted(kept[place]):
                del kept[place]
    content: bytes = whole.SerializeToString()
    return content


def _needed(output: str, graph: Any) -> set[str]:
    """Return the names of all values that an output is computed from, including its own."""
    makers = {name: node for node in graph.node for name in node.output}
    needed, waiting = {output}, [output]
    while waiting:
        if (maker := makers.get(waiting.pop())) is not None:
            new = set(_taken_by(maker)) - needed - {""}  # an omitted optional input has no name
            needed |= new
            waiting += new
    return needed


def _taken_by(node: Any) -> Iterator[str]:
    """Yield the names of a node's inputs; subgraphs, such as the branches of an `If`, also use values from outside."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for one in inner.node:
                yield from _taken_by(one)
