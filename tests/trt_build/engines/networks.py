"""Small networks of the forms that matter to casting, quantising and converting, made on the spot, with a manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import Manifest, sha256_of, write_manifest


def conv(name, source, out, channels, size=3, seed=0):
    """A padded convolution and its weights; ``channels``: of output and input."""
    weights = np.random.default_rng(seed).normal(0, 0.1, (*channels, size, size)).astype(np.float32)
    node = helper.make_node("Conv", [source, f"{name}.weight"], [out], name=name, pads=[size // 2] * 4)
    return node, numpy_helper.from_array(weights, f"{name}.weight")


def generator_model(scale=2):
    """A generator like ours: head, body, last, and a linear skip of one convolution, added before the pixels are shuffled."""
    parts = [
        conv("head", "luma", "a", (8, 1), seed=1),
        conv("body", "a_on", "b", (8, 8), seed=2),
        conv("middle", "b_on", "c", (8, 8), seed=3),
        conv("last", "c_on", "d", (scale**2, 8), seed=4),
        conv("bicubic", "luma", "e", (scale**2, 1), seed=5),
    ]
    nodes = [node for node, _ in parts]
    for at, name in ((1, "a"), (3, "b"), (5, "c")):
        nodes.insert(at, helper.make_node("Relu", [name], [f"{name}_on"], name=f"relu_{name}"))
    nodes.append(helper.make_node("Add", ["d", "e"], ["f"], name="add"))
    nodes.append(helper.make_node("DepthToSpace", ["f"], ["enhanced"], name="shuffle", blocksize=scale, mode="CRD"))
    return _model(nodes, [weight for _, weight in parts], ("luma", TensorProto.FLOAT, ["n", 1, "h", "w"]), "enhanced")


def embedder_model(pixels=TensorProto.FLOAT):
    """Two convolutions, then a flattened picture of 8x4x4 times a matrix."""
    first, one = conv("first", "cast" if pixels == TensorProto.UINT8 else "chip", "a", (8, 3))
    second, two = conv("second", "a", "b", (8, 8))
    matrix = np.random.default_rng(9).normal(0, 0.1, (128, 16)).astype(np.float32)
    nodes = [first, second, helper.make_node("Flatten", ["b"], ["flat"], name="flat")]
    nodes.append(helper.make_node("MatMul", ["flat", "matrix"], ["vector"], name="product"))
    if pixels == TensorProto.UINT8:
        nodes.insert(0, helper.make_node("Cast", ["chip"], ["cast"], name="cast", to=TensorProto.FLOAT))
    weights = [one, two, numpy_helper.from_array(matrix, "matrix")]
    return _model(nodes, weights, ("chip", pixels, ["n", 3, 4, 4]), "vector", ["n", 16])


def write_generator(folder: Path, name="tiny", scale=2) -> Path:
    """Write a generator with its manifest; return the manifest."""
    file = folder / f"{name}.onnx"
    onnx.save(generator_model(scale), str(file))
    manifest = Manifest(
        name=name, kind="generator", file=file.name, sha256=sha256_of(file), licence="Apache-2.0", training_data="", scale=scale
    )
    write_manifest(manifest, file.with_suffix(".json"))
    return file.with_suffix(".json")


def _model(nodes, weights, entry, exit_name, exit_shape=None):
    name, kind, shape = entry
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, kind, shape)],
        [helper.make_tensor_value_info(exit_name, TensorProto.FLOAT, exit_shape or ["n", 1, "oh", "ow"])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
