"""What one core of this CPU does at most: operations a second of large matrix products, and those that a network asks for."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, shape_inference

_SIDE = 1024
_KINDS = {
    "float32": ("MatMul", TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT),
    "int8": ("MatMulInteger", TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32),
}


def matrix_peak(kind: str, seconds: float = 1.5) -> float:
    """Return operations a second (a multiplication and an addition are two) of the best of many products of two matrices of
    1024x1024 on one thread, by ONNX Runtime; ``kind``: float32 or int8."""
    operator, one, other, out = _KINDS[kind]
    rng = np.random.default_rng(0)
    weights = rng.integers(-60, 60, (_SIDE, _SIDE)).astype(np.float32 if kind == "float32" else np.int8)
    left = rng.integers(0, 120, (_SIDE, _SIDE)).astype(np.float32 if kind == "float32" else np.uint8)
    shape = (_SIDE, _SIDE)
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "weights"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", one, shape)],
        [helper.make_tensor_value_info("product", out, shape)],
        [helper.make_tensor("weights", other, shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        session.run(None, {"left": left})
        best = min(best, time.perf_counter() - began)
    return 2.0 * _SIDE**3 / best


def operations(path: Path, side: int) -> float:
    """Return the operations of all convolutions of a generator for one picture of ``side`` x ``side`` px, computed directly."""
    model = onnx.load(path)
    for value in model.graph.input:
        batch, _, height, width = value.type.tensor_type.shape.dim
        batch.dim_value, height.dim_value, width.dim_value = 1, side, side
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    weights = {one.name: one.dims for one in graph.initializer}
    named = (*graph.value_info, *graph.output)
    shapes = {one.name: [size.dim_value for size in one.type.tensor_type.shape.dim] for one in named}
    asked = (
        2.0 * np.prod(shapes[node.output[0]]) * np.prod(weights[node.input[1]][1:])
        for node in graph.node
        if node.op_type == "Conv"
    )
    return float(sum(asked))
