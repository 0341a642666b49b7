"""What stays in float32, how weights are unfolded, cast, and how a matrix product becomes a convolution."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.models.catalog import embedded_dir
from tests.trt_build.engines.networks import embedder_model, generator_model
from trt_build.engines.graph import kept_nodes, plain_graph, replace_nodes
from trt_build.engines.half import cast_graph
from trt_build.engines.turing import dense_as_convolution
from trt_build.errors import ExportError


def run(model, picture):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: picture})[0]


def types_of(model):
    return {tensor.name: tensor.data_type for tensor in model.graph.initializer}


def test_first_and_last_convolutions_and_the_bicubic_picture_are_kept():
    assert kept_nodes(generator_model()) == ["head", "last", "bicubic", "add", "shuffle"]
    assert kept_nodes(embedder_model()) == ["first", "product"]
    assert kept_nodes(generator_model(), last=2) == ["head", "middle", "relu_c", "last", "bicubic", "add", "shuffle"]


@pytest.mark.parametrize(("file", "output"), [("compact_fine_x4", ""), ("rrdn_compact", "enhanced_x4")])
def test_of_shipped_generators_the_picture_passes_in_float32(file, output):
    model = plain_graph(embedded_dir() / f"{file}.onnx", output, file)
    found = kept_nodes(model)
    reads = [node for node in model.graph.node if model.graph.input[0].name in node.input]
    writes = [node for node in model.graph.node if model.graph.output[0].name in node.output]
    assert {node.name for node in reads + writes} <= set(found)
    assert len(found) < 10


def test_weights_that_a_file_keeps_as_float16_are_float32_again():
    model = plain_graph(embedded_dir() / "second_look.onnx", "", "second_look")
    assert TensorProto.FLOAT16 not in types_of(model).values()
    windows = np.random.default_rng(0).integers(0, 255, (3, 2, 40, 40), np.uint8)
    shipped = onnx.load(str(embedded_dir() / "second_look.onnx"))
    np.testing.assert_array_equal(run(model, windows), run(shipped, windows))


def test_every_node_has_a_name_of_its_own(tmp_path):
    model = generator_model()
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, str(tmp_path / "nameless.onnx"))
    names = [node.name for node in plain_graph(tmp_path / "nameless.onnx", "", "nameless").graph.node]
    assert len(set(names)) == len(names) == len(model.graph.node)


def test_what_nothing_needs_is_left_out():
    model = generator_model()
    nodes = [*model.graph.node, helper.make_node("Relu", ["a"], ["nobody"], name="idle")]
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "idle.weight"))
    replace_nodes(model.graph, nodes)
    assert "idle" not in {node.name for node in model.graph.node}
    assert "idle.weight" not in types_of(model)


def test_in_float16_only_the_middle_is_cast():
    model = generator_model()
    half = cast_graph(model, "fp16")
    onnx.checker.check_model(half)
    kinds = types_of(half)
    assert kinds["head.weight"] == kinds["bicubic.weight"] == kinds["last.weight"] == TensorProto.FLOAT
    assert kinds["body.weight_float16"] == kinds["middle.weight_float16"] == TensorProto.FLOAT16
    assert half.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    picture = np.random.default_rng(0).random((2, 1, 9, 12), np.float32)
    difference = np.abs(run(half, picture) - run(model, picture)).max()
    assert 0 < difference < 2e-3


def test_bfloat16_weights_are_the_nearest():
    half = cast_graph(generator_model(), "bf16")
    stored = {tensor.name: tensor for tensor in half.graph.initializer}["body.weight_bfloat16"]
    assert stored.data_type == TensorProto.BFLOAT16
    exact = numpy_helper.to_array({t.name: t for t in generator_model().graph.initializer}["body.weight"])
    bits = np.frombuffer(stored.raw_data, np.uint16).astype(np.uint32) << 16
    error = np.abs(bits.view(np.float32).reshape(exact.shape) - exact)
    assert (error <= np.abs(exact) * 2**-8).all()
    assert error.max() > 0


def test_scales_of_an_enlargement_stay_float32():
    model = plain_graph(embedded_dir() / "redeg_x4.onnx", "", "redeg_x4")
    half = cast_graph(model, "fp16")
    kinds = types_of(half)
    scales = [node.input[2] for node in half.graph.node if node.op_type == "Resize"]
    assert scales
    assert {kinds[name] for name in scales} == {TensorProto.FLOAT}


def test_a_weight_that_is_too_large_is_refused():
    model = generator_model()
    large = np.full((8, 8, 3, 3), 1e6, np.float32)
    {t.name: t for t in model.graph.initializer}["body.weight"].CopyFrom(numpy_helper.from_array(large, "body.weight"))
    with pytest.raises(ExportError, match=r"fp16: its weight body\.weight is too large"):
        cast_graph(model, "fp16")


def test_a_matrix_product_becomes_a_convolution():
    model = embedder_model()
    convolved = dense_as_convolution(model)
    kinds = [node.op_type for node in convolved.graph.node]
    assert kinds == ["Conv", "Conv", "Conv", "Flatten"]
    chips = np.random.default_rng(0).random((3, 3, 4, 4), np.float32)
    np.testing.assert_allclose(run(convolved, chips), run(model, chips), atol=1e-5)


def test_a_matrix_product_of_another_form_stays():
    model = embedder_model()
    model.graph.node[2].op_type = "Relu"
    del model.graph.node[2].attribute[:]
    assert "MatMul" in [node.op_type for node in dense_as_convolution(model).graph.node]
