import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import Manifest, sha256_of, write_manifest
from engine.errors import ConfigError, InferenceError, ModelError
from engine.sessions.session import SessionSpec
from engine.verify.align import align
from engine.verify.onnx_embedder import OnnxEmbedder, recognition_model_of_pack
from tests.verify.faces import PEOPLE, portrait

LENGTH = 32


def write_model(path, *, shape=("N", 3, 112, 112), channels_last=False, own_scale=False, length=LENGTH, bias=0.0):
    """An embedder in two steps: means of 14x14 blocks, then a fixed random projection; NaN where ``bias`` is NaN."""
    batch = shape[0]
    nodes, weights = [], []
    value = "data"
    if own_scale:
        weights += [
            numpy_helper.from_array(np.float32(127.5), "centre"),
            numpy_helper.from_array(np.float32(1 / 128), "factor"),
        ]
        nodes += [helper.make_node("Sub", [value, "centre"], ["centred"], name="Sub_0")]
        nodes += [helper.make_node("Mul", ["centred", "factor"], ["scaled"], name="Mul_1")]
        value = "scaled"
    if channels_last:
        nodes.append(helper.make_node("Transpose", [value], ["planes"], perm=[0, 3, 1, 2]))
        value = "planes"
    projection = np.random.default_rng(5).normal(size=(3 * 64, length)).astype(np.float32)
    weights += [numpy_helper.from_array(projection, "projection"), numpy_helper.from_array(np.float32([bias]), "bias")]
    nodes += [
        helper.make_node("AveragePool", [value], ["pooled"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [batch, length])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def expected(faces, colour="rgb", low=-1.0, high=1.0):
    """The same network in numpy, from the aligned faces."""
    pixels = np.stack(faces).astype(np.float64)
    if colour == "rgb":
        pixels = pixels[..., ::-1]
    blocks = (pixels * (high - low) / 255 + low).reshape(-1, 8, 14, 8, 14, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    vectors = blocks.reshape(len(faces), -1) @ np.random.default_rng(5).normal(size=(3 * 64, LENGTH)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def faces():
    return [portrait(*person) for person in PEOPLE[:3]]


def check(embedder, faces, **recipe):
    vectors = embedder.embed([face[0] for face in faces], [face[1] for face in faces])
    assert vectors.dtype == np.float32
    assert embedder.length == LENGTH
    np.testing.assert_allclose(vectors, expected([align(*face) for face in faces], **recipe), atol=2e-2)
    return vectors


@pytest.mark.parametrize("shape", [("N", 3, 112, 112), (1, 3, 112, 112), (2, 3, 112, 112), ("N", 3, "H", "W")])
def test_any_batch_of_a_planar_model(tmp_path, faces, shape):
    embedder = OnnxEmbedder(SessionSpec(write_model(tmp_path / "face.onnx", shape=shape)))
    together = check(embedder, faces)
    alone = embedder.embed([faces[2][0]], [faces[2][1]])
    np.testing.assert_allclose(alone[0], together[2], atol=1e-5)
    assert embedder.embed([], []).shape == (0, LENGTH)
    embedder.close()


def test_a_model_with_channels_last(tmp_path, faces):
    check(OnnxEmbedder(SessionSpec(write_model(tmp_path / "face.onnx", shape=(1, 112, 112, 3), channels_last=True))), faces)


def test_a_graph_that_normalises_itself_gets_plain_pixels(tmp_path, faces):
    embedder = OnnxEmbedder(SessionSpec(write_model(tmp_path / "face.onnx", own_scale=True)))
    check(embedder, faces)  # (x - 127.5) / 128 has the same direction as (x - 127.5) / 127.5


def test_without_a_manifest_name_and_thresholds_are_the_usual_ones(tmp_path):
    path = write_model(tmp_path / "mine.onnx")
    embedder = OnnxEmbedder(SessionSpec(path))
    assert (embedder.name, embedder.licence, embedder.sha256) == ("mine", "unknown", sha256_of(path))
    assert -1 < embedder.unknown_cosine < embedder.known_cosine < 1
    assert embedder.runtime


@pytest.mark.parametrize("suffix", [".json", ".onnx"])
def test_the_manifest_decides(tmp_path, faces, suffix):
    path = write_model(tmp_path / "mine.onnx")
    manifest = Manifest(
        name="mine-r18", kind="embedder", file="mine.onnx", sha256=sha256_of(path), licence="MIT", training_data="none",
        channels=3, colour="bgr", value_range=(0.0, 1.0), figures={"known_cosine": 0.31, "unknown_cosine": 0.2},
    )  # fmt: skip
    write_manifest(manifest, tmp_path / "mine.json")
    embedder = OnnxEmbedder(SessionSpec(path.with_suffix(suffix)))
    assert (embedder.name, embedder.licence) == ("mine-r18", "MIT")
    assert (embedder.known_cosine, embedder.unknown_cosine) == (0.31, 0.2)
    check(embedder, faces, colour="bgr", low=0.0)


def test_what_is_no_embedder_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"no embedder .*none\.onnx"):
        OnnxEmbedder(SessionSpec(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(ModelError, match=r"text\.onnx"):
        OnnxEmbedder(SessionSpec(tmp_path / "text.onnx"))
    with pytest.raises(ModelError, match="expected one square colour picture"):
        OnnxEmbedder(SessionSpec(write_model(tmp_path / "wide.onnx", shape=(1, 3, 119, 125))))
    with pytest.raises(ModelError, match="not an embedder: one face gave"):
        OnnxEmbedder(SessionSpec(write_model(tmp_path / "short.onnx", length=2)))
    path = write_model(tmp_path / "detector.onnx")
    manifest = Manifest(name="d", kind="detector", file=path.name, sha256=sha256_of(path), licence="", training_data="")
    write_manifest(manifest, tmp_path / "detector.json")
    with pytest.raises(ModelError, match="describes a detector"):
        OnnxEmbedder(SessionSpec(path))


def test_a_vector_without_direction_is_an_error_not_a_score(tmp_path, faces):
    embedder = OnnxEmbedder(SessionSpec(write_model(tmp_path / "nan.onnx", bias=float("nan"))))
    with pytest.raises(InferenceError, match="without a direction"):
        embedder.embed([faces[0][0]], [faces[0][1]])


def test_the_recognition_model_of_a_pack(tmp_path):
    pack = tmp_path / "buffalo_x"
    pack.mkdir()
    for name in ("det_10g.onnx", "genderage.onnx", "2d106det.onnx"):
        (pack / name).touch()
    with pytest.raises(ModelError, match=r"buffalo_x must hold one recognition model .* found none"):
        recognition_model_of_pack("buffalo_x", tmp_path)
    (pack / "w600k_mbf.onnx").touch()
    assert recognition_model_of_pack("buffalo_x", tmp_path) == pack / "w600k_mbf.onnx"
    (pack / "glintr100.onnx").touch()
    with pytest.raises(ModelError, match=r"found glintr100\.onnx, w600k_mbf\.onnx"):
        recognition_model_of_pack("buffalo_x", tmp_path)
    with pytest.raises(ModelError, match=f"no InsightFace pack 'other' in {tmp_path}"):
        recognition_model_of_pack("other", tmp_path)


def test_an_embedder_is_never_computed_in_less_than_float32(tmp_path):
    path = write_model(tmp_path / "face.onnx")
    with pytest.raises(ConfigError, match=r"face\.onnx: an embedder computes in float32 only, not in bfloat16"):
        OnnxEmbedder(SessionSpec(path, "openvino", precision="bfloat16"))
