"""Convolutions in E4M3: its types and scales, what stays, and what is lost by it."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

from engine.models.catalog import embedded_dir
from tests.trt_build.engines.networks import embedder_model, generator_model
from trt_build.engines.fp8 import fp8_graph
from trt_build.engines.graph import plain_graph
from trt_build.engines.int8 import int8_kept


def pictures(shape=(1, 1, 16, 16), count=4):
    return [np.random.default_rng(at).random(shape, np.float32) for at in range(count)]


def run(model, picture):
    """Compute without ONNX Runtime's extended optimisations: they drop a Relu before E4M3 as if its least number were 0."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: picture})[0]


def kinds(model):
    return {tensor.name: tensor.data_type for tensor in model.graph.initializer}


def test_what_is_not_kept_is_in_e4m3_and_nothing_is_an_integer_any_more():
    model = generator_model()
    made = fp8_graph(model, pictures())
    onnx.checker.check_model(made)
    found = kinds(made)
    assert found["body.weight_quantized"] == TensorProto.FLOAT8E4M3FN
    assert {found[f"{name}.weight"] for name in int8_kept(model) if f"{name}.weight" in found} == {TensorProto.FLOAT}
    assert TensorProto.INT8 not in found.values()
    zeros = {node.input[2] for node in made.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")}
    assert {found[name] for name in zeros} == {TensorProto.FLOAT8E4M3FN}
    assert [(one.name, one.type) for one in made.graph.input] == [(one.name, one.type) for one in model.graph.input]


def test_the_largest_weight_of_a_channel_becomes_the_largest_number():
    made = fp8_graph(generator_model(), pictures())
    held = {tensor.name: tensor for tensor in made.graph.initializer}
    weights = np.asarray(numpy_helper.to_array(held["body.weight_quantized"]), np.float32)
    np.testing.assert_array_equal(np.abs(weights).max(axis=(1, 2, 3)), 448)
    scales = numpy_helper.to_array(held["body.weight_scale"]).reshape(-1, 1, 1, 1)
    exact = numpy_helper.to_array({t.name: t for t in generator_model().graph.initializer}["body.weight"])
    assert np.abs(weights * scales - exact).max() <= np.abs(exact).max() * 2**-4


def test_it_computes_nearly_the_same():
    model, seen = generator_model(), pictures()
    exact, found = run(model, seen[0]), run(fp8_graph(model, seen), seen[0])
    assert 0 < np.abs(found - exact).max() / np.abs(exact).max() < 0.05


def test_a_matrix_product_too():
    model, seen = embedder_model(), pictures((2, 3, 4, 4))
    model.graph.node.append(onnx.helper.make_node("MatMul", ["vector", "more"], ["more_on"], name="more"))
    model.graph.node.append(onnx.helper.make_node("MatMul", ["more_on", "more"], ["end"], name="end"))
    model.graph.initializer.append(numpy_helper.from_array(np.eye(16, dtype=np.float32)[::-1] * 0.5, "more"))
    model.graph.output[0].name = "end"
    made = fp8_graph(model, seen)
    assert kinds(made)["matrix_quantized"] == TensorProto.FLOAT8E4M3FN
    exact, found = run(model, seen[0]), run(made, seen[0])
    assert 0 < np.abs(found - exact).max() / np.abs(exact).max() < 0.1


def test_the_default_generator_can_be_quantised():
    model = plain_graph(embedded_dir() / "compact_fine_x4.onnx", "", "compact_fine_x4")
    seen = pictures((1, 1, 24, 24))
    made = fp8_graph(model, seen)
    assert sum(kind == TensorProto.FLOAT8E4M3FN for name, kind in kinds(made).items() if name.endswith("_quantized")) >= 6
    assert np.abs(run(made, seen[0]) - run(model, seen[0])).max() < 0.15  # of noise, where it is far more than of faces
