"""Makes a generator take and return 8-bit pixels: range, layout, channel order and rounding become part of its graph.

A GPU is then sent a quarter of the bytes, and nothing remains to be done on the CPU. The bicubic picture of our generators is
already in their graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import Manifest

PIXELS, ENLARGED = "pixels", "enlarged"
_DTYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def pixel_graph(model: onnx.ModelProto, manifest: Manifest) -> onnx.ModelProto:
    """Return a copy that converts pixels like ``engine.super_resolve.manifest_generator`` does outside.

    Its input is ``pixels``, its output ``enlarged``, uint8: (N, 1, H, W) luma, or (N, H, W, 3) BGR.

    Args:
        model: a generator in the wanted precision, with one input and one output.
        manifest: of the generator.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    entry, exit_ = graph.input[0].name, graph.output[0].name
    low, high = manifest.value_range
    scaled = (low, high) != (0.0, 255.0)
    before = _Chain(graph, PIXELS, "before")
    before.add("Cast", to=TensorProto.FLOAT)
    if manifest.channels == 3:
        before.add("Transpose", perm=[0, 3, 1, 2])
        before.flip(manifest.colour)
    if scaled:
        before.add("Mul", np.float32((high - low) / 255))
        before.add("Add", np.float32(low))
    before.add("Cast", to=_DTYPES[manifest.dtype])
    after = _Chain(graph, exit_, "after")
    after.add("Cast", to=TensorProto.FLOAT)
    if scaled:
        after.add("Mul", np.float32(255 / (high - low)))
        after.add("Add", np.float32(-low * 255 / (high - low)))
    if manifest.channels == 3:
        after.flip(manifest.colour)
        after.add("Transpose", perm=[0, 2, 3, 1])
    after.add("Round")
    after.add("Clip", np.float32(0), np.float32(255))
    after.add("Cast", to=TensorProto.UINT8)
    others = list(graph.input[1:])
    nodes = [*before.named(entry), *graph.node, *after.named(ENLARGED)]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.input.extend([_picture(PIXELS, ("n", "h", "w"), manifest.channels), *others])
    graph.output.append(_picture(ENLARGED, ("n", "oh", "ow"), manifest.channels))
    return copy


class _Chain:
    """A sequence of nodes."""

    def __init__(self, graph: onnx.GraphProto, entry: str, title: str) -> None:
        self._graph, self._title, self._last = graph, title, entry
        self._nodes: list[onnx.NodeProto] = []

    def add(self, kind: str, *constants: np.generic | np.ndarray, **attributes: Any) -> None:
        name = f"{self._title}_{len(self._nodes)}"
        inputs = [self._last]
        for at, value in enumerate(constants):
            inputs.append(f"{name}_{at}")
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), inputs[-1]))
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self._last = name

    def flip(self, colour: str) -> None:
        """From BGR to the network's order, or back."""
        if colour == "rgb":
            self.add("Gather", np.array([2, 1, 0], np.int64), axis=1)

    def named(self, exit_: str) -> list[onnx.NodeProto]:
        """Return the nodes, with this name for the last output."""
        self._nodes[-1].output[0] = exit_
        return self._nodes


def _picture(name: str, free: tuple[str, str, str], channels: int) -> onnx.ValueInfoProto:
    count, height, width = free
    shape: list[str | int | None] = [count, 1, height, width] if channels == 1 else [count, height, width, channels]
    return helper.make_tensor_value_info(name, TensorProto.UINT8, shape)
