"""Small ONNX models with the layouts of real detectors, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_OPSET = 13


def doubling_model() -> bytes:
    """y = 2 x over any height and width, and z = x + 1."""
    shape = [1, 2, "height", "width"]
    nodes = [helper.make_node("Mul", ["x", "two"], ["y"]), helper.make_node("Add", ["x", "one"], ["z"])]
    constants = [numpy_helper.from_array(np.float32(value), name) for name, value in (("two", 2), ("one", 1))]
    return _model(nodes, shape, dict.fromkeys(("y", "z"), shape), constants, input_name="x")


def yunet_model(seed: int = 0, side: int | None = 640) -> bytes:
    """YuNet's inputs and outputs over random weights, so that there are many overlapping boxes; ``side`` is declared."""
    rng = np.random.default_rng(seed)
    nodes, constants, outputs = [], [], {}
    for kind, values, scale, offset in (
        ("cls", 1, 0.02, 0),
        ("obj", 1, 0.02, 0),
        ("bbox", 4, 0.002, 0.7),
        ("kps", 10, 0.005, 0),
    ):
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            weights = rng.normal(0, scale, (values, 3, 1, 1))
            nodes += _grid(name, stride, np.float32(weights), np.full(values, offset, np.float32), kind in ("cls", "obj"))
            nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{name}_shape"], [name]))
            constants += _constants(name, weights, np.full(values, offset), [1, -1, values])
            cells = f"cells_{stride}" if side is None else (side // stride) ** 2
            outputs[name] = [1, cells, values]
    return _model(nodes, [1, 3, side or "height", side or "width"], outputs, constants)


def grey_model(seed: int = 0) -> bytes:
    """Our own detectors' input and outputs over random weights, so that there are many overlapping boxes."""
    rng = np.random.default_rng(seed)
    nodes = [helper.make_node("Cast", ["luma"], ["input"], to=TensorProto.FLOAT)]
    constants, outputs = [], {}
    for kind, values, scale, offset in (("score", 1, 0.02, -2), ("bbox", 4, 0.002, 0.7), ("kps", 10, 0.005, 0)):
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            weights = rng.normal(0, scale, (values, 1, 1, 1))
            nodes += _grid(name, stride, np.float32(weights), np.full(values, offset, np.float32), kind == "score")
            nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{name}_shape"], [name]))
            constants += _constants(name, weights, np.full(values, offset), [0, -1, values])
            outputs[name] = ["batch", f"cells_{stride}", values]
    return _model(nodes, ["batch", 1, "height", "width"], outputs, constants, "luma", TensorProto.UINT8)


def scrfd_model(side: int | None = None) -> bytes:
    """SCRFD's nine outputs; a white 16x16 cell of the grid of stride 16 is a face of 64x64 around the cell's corner."""
    nodes, constants, outputs = [], [], {}
    for kind, values in (("score", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            weights = np.zeros((2 * values, 3, 1, 1))
            offset = np.full(2 * values, 2.0)
            if kind == "score":
                weights[:] = 4.0 if stride == 16 else 0.0
                offset[:] = -6.0 if stride == 16 else -60.0
            if kind == "kps":
                offset = np.tile(np.arange(10) / 10, 2)
            nodes += _grid(name, stride, weights, offset, kind == "score")
            nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{name}_shape"], [name]))
            constants += _constants(name, weights, offset, [-1, values])
            outputs[name] = [f"cells_{stride}", values]
    return _model(nodes, [1, 3, side or "height", side or "width"], outputs, constants)


def _grid(name: str, stride: int, weights: np.ndarray, offset: np.ndarray, probability: bool) -> list:
    """Nodes from the picture to (1, rows, columns, values)."""
    nodes = [
        helper.make_node("AveragePool", ["input"], [f"{name}_cells"], kernel_shape=[stride] * 2, strides=[stride] * 2),
        helper.make_node("Conv", [f"{name}_cells", f"{name}_weights", f"{name}_offset"], [f"{name}_raw"], kernel_shape=[1, 1]),
    ]
    last = f"{name}_raw"
    if probability:
        nodes.append(helper.make_node("Sigmoid", [last], [f"{name}_probability"]))
        last = f"{name}_probability"
    return [*nodes, helper.make_node("Transpose", [last], [f"{name}_last"], perm=[0, 2, 3, 1])]


def _constants(name: str, weights: np.ndarray, offset: np.ndarray, shape: list[int]) -> list:
    return [
        numpy_helper.from_array(weights.astype(np.float32), f"{name}_weights"),
        numpy_helper.from_array(offset.astype(np.float32), f"{name}_offset"),
        numpy_helper.from_array(np.array(shape, np.int64), f"{name}_shape"),
    ]


def _model(
    nodes: list,
    shape: Sequence,
    outputs: dict[str, list],
    constants: list,
    input_name: str = "input",
    input_type: int = TensorProto.FLOAT,
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(input_name, input_type, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in outputs.items()],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8).SerializeToString()
