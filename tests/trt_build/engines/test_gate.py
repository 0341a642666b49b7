"""The gate on real faces: what passes, and that it sees what is wrong."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from skimage.data import chelsea

from engine.contracts.manifest import read_manifest
from engine.models.catalog import embedded_dir, models_dir
from engine.models.dlib_embedder import dlib_embedder
from tests.sessions.processors import need
from trt_build.data.faces import Faces
from trt_build.engines import inputs, parity, real_faces, targets
from trt_build.engines.build import Workshop, build
from trt_build.engines.graph import plain_graph
from trt_build.engines.int8 import int8_graph, int8_kept
from trt_build.engines.profiles import profile_for
from trt_build.engines.real_faces import gate_faces, pictures_with_faces, sides, small
from trt_build.engines.targets import Order, target_of
from trt_build.errors import DataError


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    pictures = pictures_with_faces(20)
    chosen = type(pictures)(pictures.images[2:4] + pictures.images[6:7], pictures.source)
    monkeypatch.setattr(parity, "pictures_with_faces", lambda count: chosen)


def verdict(path, target, precision, tmp_path, count=3):
    described = read_manifest(path)
    order = Order(path, described, target_of(target, precision, described.kind), precision, profile_for(described))
    shop = Workshop(tmp_path / "engines", lambda sentence: None, lambda what, done, total: None, count=count)
    return build(order, shop).manifest.parity


def test_without_data_the_faces_are_those_on_two_photographs():
    faces = gate_faces(count=200)
    assert len(faces) == 7
    assert faces.source == "two photographs inside insightface and scikit-image"
    middles = faces.points.mean(axis=1)
    assert (np.abs(middles - 72) < 25).all(), "the face is near the middle"


@pytest.mark.parametrize(
    ("name", "target", "precision"),
    [
        ("compact_fine_x4", "onnxruntime", "fp16"),
        ("dlib", "onnxruntime", "fp16"),
        ("grey", "onnxruntime", "fp16"),
        ("second_look", "onnxruntime", "fp16"),
        ("srcnn_x2", "openvino", "fp32"),
    ],
)
def test_what_computes_the_same_passes(tmp_path, name, target, precision):
    if target == "openvino":
        need("openvino")
    path = dlib_embedder(models_dir()) if name == "dlib" else embedded_dir() / f"{name}.json"
    found = verdict(path, target, precision, tmp_path)
    assert (found.verdict, found.reason) == ("passed", "")
    assert found.faces >= 3


@pytest.mark.parametrize("name", ["srcnn_x2", "dlib", "grey", "second_look"])
def test_what_computes_something_else_fails(tmp_path, monkeypatch, name):
    """Every weight a little off, as a careless quantisation leaves it."""

    def spoilt(order, graph):
        rng = np.random.default_rng(0)
        for tensor in graph.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and values.ndim > 1:
                noisy = values * rng.normal(1, 0.3, values.shape).astype(np.float32)
                tensor.CopyFrom(numpy_helper.from_array(noisy, tensor.name))
        return graph, ""

    monkeypatch.setattr(targets, "_in_precision", spoilt)
    path = dlib_embedder(models_dir()) if name == "dlib" else embedded_dir() / f"{name}.json"
    found = verdict(path, "onnxruntime", "fp32", tmp_path)
    assert found.verdict == "failed"
    assert next(iter(found.limits)).replace("_", " ") in found.reason


def test_a_second_look_that_only_misplaces_faces_fails(tmp_path, monkeypatch):
    def spoilt(order, graph):
        for tensor in graph.graph.initializer:
            if tensor.name == "network.places.bias":
                moved = numpy_helper.to_array(tensor) + np.float32(0.1)
                tensor.CopyFrom(numpy_helper.from_array(moved, tensor.name))
        return graph, ""

    monkeypatch.setattr(targets, "_in_precision", spoilt)
    found = verdict(embedded_dir() / "second_look.json", "onnxruntime", "fp32", tmp_path)
    assert found.figures["same_judgement"] == 1
    assert found.figures["places_moved"] > 0.05
    assert (found.verdict, found.reason[:13]) == ("failed", "places moved ")


@pytest.fixture(scope="module")
def own_pictures(tmp_path_factory):
    """What a user may have: two photographs, a cat, faces too small to be sharp, and two portraits that were cut out before."""
    folder = tmp_path_factory.mktemp("mine")
    people, one = real_faces._photographs()
    portraits = real_faces._photographed(2).images
    pictures = {
        "group.jpg": people,
        "deep/one.png": np.dstack([one] * 3),
        "cat.png": chelsea()[..., 0],
        "far.png": cv2.resize(people, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
        "portrait.png": portraits[0],
        "large portrait.bmp": cv2.resize(portraits[1], (300, 300)),
    }
    for name, picture in pictures.items():
        (folder / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / name), picture)
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_faces_are_cut_out_of_pictures_that_are_given(own_pictures, tmp_path, kind):
    source = own_pictures
    if kind == "zip":
        source = Path(shutil.make_archive(str(tmp_path / "mine"), "zip", own_pictures))
    faces = gate_faces(source)
    assert faces.images.shape == (9, 144, 144), "seven of two photographs, and two portraits that are whole"
    assert (np.abs(faces.points.mean(axis=1) - 72) < 25).all(), "the face is near the middle"
    assert faces.source == f"{source.name} (given), seed 20"
    assert any(np.array_equal(image, cv2.imread(str(own_pictures / "portrait.png"), 0)) for image in faces.images)
    assert len(gate_faces(source, count=3)) == 3


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (["cat.png"], "No face of at least 87 px is found in the pictures of"),
        (["far.png"], "No face of at least 87 px is found in the pictures of"),
        (["notes.txt"], "hold no picture"),
        ([], "hold no picture"),
        (None, "do not exist"),
    ],
)
def test_pictures_without_a_face_are_refused(own_pictures, tmp_path, kept, words):
    folder = tmp_path / "mine"
    for name in kept or []:
        folder.mkdir(exist_ok=True)
        shutil.copy(own_pictures / name, folder)
    if kept == []:
        folder.mkdir()
    with pytest.raises(DataError, match=words):
        gate_faces(folder)


def test_few_faces_are_no_full_gate():
    found = [parity.verdict_of({"least_cosine": 1.0}, {"least_cosine": 0.9}, count, "here").note for count in (7, 199, 200)]
    assert found == ["7 faces: not a full gate", "199 faces: not a full gate", ""]


def test_half_of_the_people_are_left_for_choosing_rules(monkeypatch, tmp_path):
    faces = gate_faces(count=7)
    names = tuple(f"{person}/{person}_{number:04}.jpg" for person in "ABCDEFG" for number in (1, 2))
    monkeypatch.setattr(real_faces, "load_faces", lambda path: Faces(faces.images.repeat(2, axis=0), names))
    monkeypatch.setattr(real_faces, "with_data_folder", lambda path: str(tmp_path))
    people = [{name.split("/")[0] for name in names if real_faces.of_gate(name) == wanted} for wanted in (True, False)]
    assert people[0] & people[1] == set()
    assert len(real_faces.gate_faces()) == 2 * len(people[0])
    assert min(map(len, people)) > 0


def test_sizes_are_those_whose_enlarged_pictures_are_known():
    assert max(sides(4, 16, 96)) == 36
    assert min(sides(4, 16, 96)) == 16
    assert sides(8, 16, 96) == [16, 18]
    assert sides(4, 64, 96) == [64], "no sharp face is so large: the nearest size is compared all the same"


def test_every_other_small_face_is_degraded():
    face = gate_faces(count=1).images[0]
    clean = small(face, 24, 0)
    np.testing.assert_array_equal(clean, small(face, 24, 2))
    assert np.abs(small(face, 24, 1).astype(int) - clean).mean() > 2


@pytest.mark.parametrize("symmetric", [True, False])
def test_int8_is_around_the_middle_convolutions_alone(symmetric):
    model = plain_graph(embedded_dir() / "srcnn_x2.onnx", "", "srcnn_x2")
    pictures = [np.random.default_rng(at).random((1, 1, 16, 16), np.float32) for at in range(4)]
    quantised = int8_graph(model, pictures, symmetric=symmetric)
    onnx.checker.check_model(quantised)
    assert all(tensor.raw_data for tensor in model.graph.initializer), "the model that is given stays whole"
    makers = {name: node for node in quantised.graph.node for name in node.output}
    convolutions = {node.name: node for node in quantised.graph.node if node.op_type == "Conv"}
    weights = {name for name, node in convolutions.items() if makers.get(node.input[1], node).op_type == "DequantizeLinear"}
    assert weights == set(convolutions) - set(int8_kept(model))
    assert weights
    points = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in quantised.graph.initializer
        if tensor.name.endswith("zero_point")
    }
    if symmetric:
        assert all((values == 0).all() for values in points.values())
    else:
        assert any(values.dtype == np.uint8 for values in points.values())


def test_calibration_takes_500_faces_or_none(tmp_path):
    for at, face in enumerate(gate_faces(count=5).images):
        cv2.imwrite(str(tmp_path / f"{at}.png"), face)
    described = read_manifest(embedded_dir() / "srcnn_x2.json")
    with pytest.raises(DataError, match=r"at least 500 real faces to calibrate on: .* holds 5"):
        inputs.calibration_inputs(described, profile_for(described), tmp_path)
