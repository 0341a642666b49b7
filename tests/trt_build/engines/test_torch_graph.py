"""An ONNX model as a module of torch computes what ONNX Runtime computes."""

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("torch", reason="needs the extra aotinductor")

import torch
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import read_manifest
from engine.models.catalog import embedded_dir
from tests.trt_build.engines.networks import embedder_model, generator_model
from trt_build.engines.graph import plain_graph
from trt_build.engines.half import cast_graph
from trt_build.engines.masked import masked_graph
from trt_build.engines.pixels import pixel_graph
from trt_build.engines.torch_graph import TorchGraph
from trt_build.errors import ExportError

GENERATORS = sorted(path.stem for path in embedded_dir().glob("*_x[2348].json") if read_manifest(path).kind == "generator")


def off(model, *inputs):
    """Return how far torch is from ONNX Runtime, as a share of the largest number."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, dict(zip([one.name for one in session.get_inputs()], inputs, strict=True)))
    with torch.inference_mode():
        found = TorchGraph(model)(*map(torch.from_numpy, inputs))
    assert [one.shape for one in expected] == [tuple(one.shape) for one in found]
    pairs = zip(expected, found, strict=True)
    return max(np.abs(one.astype(np.float32) - other.float().numpy()).max() / max(1, np.abs(one).max()) for one, other in pairs)


def noise(*shape):
    return np.random.default_rng(sum(shape)).random(shape, np.float32)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_shipped_generator(name):
    path = embedded_dir() / f"{name}.json"
    described = read_manifest(path)
    model = plain_graph(path.with_name(described.file), described.output, name)
    assert off(model, noise(2, described.channels, 24, 16)) < 1e-4


def test_with_a_mask_and_pixels_and_in_half_precision():
    described = read_manifest(embedded_dir() / "compact_fine_x4.json")
    model = pixel_graph(masked_graph(plain_graph(embedded_dir() / "compact_fine_x4.onnx", "", "fine")), described)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 16, 24)).astype(np.uint8)
    inside = np.ones_like(pixels)
    inside[:, :, 13:] = 0
    assert off(model, pixels, inside) <= 1 / 255
    with torch.inference_mode():
        exact, half = (TorchGraph(one)(*map(torch.from_numpy, (pixels, inside)))[0] for one in (model, cast(model)))
    assert 0 < (exact.int() - half.int()).abs().max() <= 3


def cast(model):
    return cast_graph(model, "bf16")


def test_an_embedder():
    assert off(embedder_model(), noise(3, 3, 4, 4)) < 1e-5


def one_node(kind, shape, *constants, **attributes):
    names = [f"c{at}" for at in range(len(constants))]
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *names], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for value, name in zip(constants, names, strict=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


PICTURE = (2, 8, 5, 6)
FLAT = (3, 4)


@pytest.mark.parametrize(
    "model",
    [
        one_node("Conv", PICTURE, noise(4, 2, 3, 2), noise(4), pads=[1, 0, 2, 1], strides=[2, 1], group=4),
        one_node("Conv", PICTURE, noise(4, 8, 3, 3), pads=[2, 2, 2, 2], dilations=[2, 2]),
        one_node("DepthToSpace", PICTURE, blocksize=2, mode="DCR"),
        one_node("DepthToSpace", PICTURE, blocksize=2, mode="CRD"),
        one_node("Pad", PICTURE, np.array([0, 0, 1, 2, 0, 0, 3, 0]), mode="edge"),
        one_node("Pad", PICTURE, np.array([0, 0, 1, 2, 0, 0, 3, 0]), mode="reflect"),
        one_node("Pad", PICTURE, np.array([0, 0, 1, 2, 0, 0, 3, 0]), np.float32(0.5)),
        one_node("PRelu", PICTURE, -noise(8, 1, 1)),
        one_node("ReduceMean", PICTURE, np.array([2, 3])),
        one_node("ReduceMean", PICTURE, np.array([1]), keepdims=0),
        one_node("Resize", PICTURE, np.array([], np.float32), np.array([1, 1, 2, 2], np.float32),
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        one_node("Gemm", FLAT, noise(5, 4), noise(5), transB=1, alpha=0.5, beta=2.0),
        one_node("Gather", PICTURE, np.array([2, 1, 0]), axis=1),
        one_node("Gather", PICTURE, np.array(1), axis=1),
        one_node("Clip", PICTURE, np.float32(0.2), np.float32(0.7)),
        one_node("Transpose", PICTURE, perm=[0, 2, 3, 1]),
        one_node("Pow", PICTURE, np.float32(2)),
    ],
    ids=lambda model: model.graph.node[0].op_type,
)  # fmt: skip
def test_one_operation(model):
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert off(model, noise(*shape) - np.float32(0.3)) < 1e-5


def test_what_is_not_known_is_named():
    model = generator_model()
    model.graph.node[1].op_type = "Erf"
    with pytest.raises(ExportError, match=r"'made' cannot become a module of torch: it holds Erf\.$"):
        TorchGraph(model)
    onnx.checker.check_model(model)
    with pytest.raises(ExportError, match="only whole multiples of a size"):
        off(one_node("Resize", PICTURE, np.array([], np.float32), np.array([1, 1, 1.5, 1.5], np.float32)), noise(*PICTURE))
