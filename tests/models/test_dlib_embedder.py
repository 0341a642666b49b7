import csv
import importlib.util
import sys
import zipfile

import cv2
import dlib
import numpy as np
import onnx
import pytest

from engine.config.verify import VerifyConfig
from engine.contracts.manifest import read_manifest, sha256_of
from engine.errors import MissingRuntimeError, ModelError
from engine.models import dlib_embedder as made
from engine.models.catalog import find_model
from engine.models.dlib_embedder import CHIP_POINTS, CHIP_PX, dlib_embedder, packaged_weights
from engine.sessions.session import SessionSpec, open_session
from engine.verify.align import align
from engine.verify.embedder import open_embedder
from engine.verify.onnx_embedder import OnnxEmbedder
from tests.assets import shared
from tests.verify.faces import PEOPLE, portrait

PLACES = np.array(CHIP_POINTS)


@pytest.fixture(scope="module")
def embedder():
    return open_embedder(VerifyConfig(), find_model)


@pytest.fixture(scope="module")
def library():
    return dlib.face_recognition_model_v1(str(packaged_weights()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    dlib_embedder(folder / "new")
    return folder / "new"


def cosines(ours, theirs):
    return (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


def of_library(library, chips):
    return np.array([library.compute_face_descriptor(np.ascontiguousarray(one)) for one in chips])


def of_graph(folder, chips):
    with open_session(SessionSpec(folder / "dlib.onnx")) as session:
        return session.run({"chip": np.ascontiguousarray(np.stack(chips).transpose(0, 3, 1, 2), np.float32)})[0]


def test_the_graph_gives_what_the_librarys_call_gives(folder, library):
    chips = [align(*portrait(*person), CHIP_PX, PLACES)[:, :, ::-1] for person in PEOPLE]
    ours, theirs = of_graph(folder, chips), of_library(library, chips)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_graph_is_one_that_onnx_finds_no_fault_in(folder):
    for name in ("dlib", "dlib_small"):
        onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)


def test_parity_on_fifty_faces_of_people_it_never_saw(folder, library):
    with shared("data/lfw_gray/pairs_val.csv").open(newline="") as file:
        names = sorted({row["image_a"] for row in csv.DictReader(file)})[:50]
    with zipfile.ZipFile(shared("data/lfw_gray/val.zip")) as archive:
        grey = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in names]
    chips = [cv2.cvtColor(cv2.resize(one, (CHIP_PX, CHIP_PX)), cv2.COLOR_GRAY2RGB) for one in grey]
    assert cosines(of_graph(folder, chips), of_library(library, chips)).min() >= 0.9999


@pytest.mark.parametrize("size_px", [40, 150, 400, 900])
def test_our_chip_is_the_one_that_dlib_cuts(folder, library, size_px):
    """The same landmarks to the same places, by dlib's own code: also where the face is much larger than the chip."""
    picture, landmarks = portrait(*PEOPLE[0], size_px)
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    points, places = ([dlib.dpoint(float(x), float(y)) for x, y in some] for some in (landmarks, PLACES))
    where = dlib.chip_details(dlib.dpoints(places), dlib.dpoints(points), dlib.chip_dims(CHIP_PX, CHIP_PX))
    theirs = dlib.extract_image_chip(rgb, where)
    ours = align(picture, landmarks, CHIP_PX, PLACES)[:, :, ::-1]
    assert cosines(of_graph(folder, [ours]), of_library(library, [theirs]))[0] > 0.995


def native_vector(library, image):
    """What dlib itself makes of the one face of a picture, aligned by its own five points."""
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    faces = dlib.get_frontal_face_detector()(rgb, 1)
    assert len(faces) == 1
    predictor = dlib.shape_predictor(str(packaged_weights().with_name("shape_predictor_5_face_landmarks.dat")))
    vector = np.array(library.compute_face_descriptor(rgb, predictor(rgb, faces[0])))
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize(("name", "index"), [PEOPLE[0], PEOPLE[1]])
def test_our_places_of_the_landmarks_fit_dlibs_own_alignment(embedder, library, name, index):
    image, landmarks = portrait(name, index)
    ours = embedder.embed([image], [landmarks])[0]
    assert float(ours @ native_vector(library, image)) > 0.96


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(embedder, folder):
    faces = [portrait(*person) for person in PEOPLE[:2]]
    together = embedder.embed([face[0] for face in faces], [face[1] for face in faces])
    assert together.shape == (2, 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = embedder.embed([faces[1][0]], [faces[1][1]])
    np.testing.assert_array_equal(alone[0], together[1])
    assert embedder.embed([], []).shape == (0, 128)
    chips = [align(*face, CHIP_PX, PLACES)[:, :, ::-1] for face in faces]
    np.testing.assert_allclose(of_graph(folder, chips)[1], of_graph(folder, chips[1:])[0], atol=1e-5)


def test_the_same_person_scores_higher_than_anyone_else_at_every_size(embedder):
    enrolled = [portrait(*person) for person in PEOPLE]
    gallery = embedder.embed([face[0] for face in enrolled], [face[1] for face in enrolled])
    for size_px in (32.0, 60.0):
        probes = [portrait(*person, size_px, margin=0.6) for person in PEOPLE]
        found = embedder.embed([face[0] for face in probes], [face[1] for face in probes]) @ gallery.T
        own, others = np.diag(found), found[~np.eye(len(PEOPLE), dtype=bool)]
        assert (found.argmax(axis=1) == np.arange(len(PEOPLE))).all()
        assert own.min() > others.max()
        assert own.min() >= embedder.known_cosine
        assert others.max() < embedder.known_cosine


@pytest.mark.parametrize(("size_px", "shared"), [(32.0, True), (48.0, True), (90.0, False)])
def test_the_network_for_small_faces_has_a_share_up_to_48_px(embedder, folder, size_px, shared):
    face = [[one] for one in portrait(*PEOPLE[0], size_px)]
    vectors = [OnnxEmbedder(SessionSpec(folder / f"{name}.json")).embed(*face)[0] for name in (made.NAME, made.SMALL)]
    expected = (vectors[0] + vectors[1]) / np.linalg.norm(vectors[0] + vectors[1]) if shared else vectors[0]
    np.testing.assert_allclose(embedder.embed(*face)[0], expected, atol=1e-5)


def test_it_is_made_once_and_again_when_it_is_damaged_or_old(folder, monkeypatch):
    model = folder / "dlib.onnx"
    before, content = model.stat().st_mtime_ns, model.read_bytes()
    assert dlib_embedder(folder) == folder / "dlib.json"
    assert model.stat().st_mtime_ns == before
    model.write_bytes(content[:1000])
    assert read_manifest(dlib_embedder(folder)).sha256 == sha256_of(model)
    assert model.read_bytes() == content
    monkeypatch.setattr(made, "_GRAPH", "next")
    assert read_manifest(dlib_embedder(folder)).versions["graph"] == "next"
    monkeypatch.undo()
    dlib_embedder(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["dlib.json", "dlib.onnx", "dlib_small.json", "dlib_small.onnx"]


def test_once_it_was_made_the_package_may_go(folder, monkeypatch):
    monkeypatch.setattr(made, "packaged_weights", lambda: pytest.fail("the package is not needed"))
    assert dlib_embedder(folder) == folder / "dlib.json"


def test_other_weights_make_another(folder, tmp_path):
    other = tmp_path / "other.dat"
    other.write_bytes(b"nothing like a network" * 100)
    with pytest.raises(ModelError, match="is not dlib's"):
        dlib_embedder(folder, other)
    assert dlib_embedder(folder, packaged_weights()) == folder / "dlib.json"


def test_it_is_told_by_its_weights_not_by_the_file_made_of_them(folder):
    manifest = read_manifest(folder / "dlib.json")
    assert manifest.weights_sha256 == sha256_of(packaged_weights())
    embedder = open_embedder(VerifyConfig(embedder=str(folder / "dlib.onnx")), find_model)
    assert (embedder.sha256, embedder.licence) == (manifest.weights_sha256, "CC0-1.0")


def test_the_weight_file_is_found_without_importing_its_package():
    assert packaged_weights().stat().st_size > 20_000_000
    assert "face_recognition_models" not in sys.modules


def test_missing_or_wrong_weights_and_a_closed_folder_are_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"no weights .*none\.dat"):
        dlib_embedder(tmp_path, tmp_path / "none.dat")
    wrong = tmp_path / "wrong.dat"
    wrong.write_bytes(b"nothing like a network" * 100)
    with pytest.raises(ModelError, match="is not dlib's face recognition model: it has no further layer"):
        dlib_embedder(tmp_path, wrong)
    content = packaged_weights().read_bytes()
    for length in (340, 5_000, 19_400, len(content) - 20_000):
        wrong.write_bytes(content[:length])
        with pytest.raises(ModelError, match="is not dlib's face recognition model"):
            dlib_embedder(tmp_path, wrong)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ModelError, match=r"cannot write the embedder dlib to .*FACESTREAM_MODELS"):
        dlib_embedder(file / "models")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match="pip install face_recognition_models"):
        packaged_weights()
