import importlib.util
import sys

import dlib
import numpy as np
import pytest

from engine.errors import MissingRuntimeError, ModelError
from engine.verify import dlib_embedder
from engine.verify.dlib_embedder import CHIP_POINTS, CHIP_PX, DlibEmbedder, chip, packaged_weights
from tests.verify.faces import PEOPLE, portrait


@pytest.fixture(scope="module")
def embedder():
    return DlibEmbedder()


def native_vectors(image):
    """What dlib itself makes of the one face of a picture, aligned by its own five points."""
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    faces = dlib.get_frontal_face_detector()(rgb, 1)
    assert len(faces) == 1
    predictor = dlib.shape_predictor(str(packaged_weights().with_name("shape_predictor_5_face_landmarks.dat")))
    shape = predictor(rgb, faces[0])
    network = dlib.face_recognition_model_v1(str(packaged_weights()))
    vector = np.array(network.compute_face_descriptor(rgb, shape))
    return dlib.get_face_chip(rgb, shape, CHIP_PX, 0.25), vector / np.linalg.norm(vector)


@pytest.mark.parametrize(("name", "index"), [PEOPLE[0], PEOPLE[1]])
def test_our_alignment_gives_what_dlibs_own_gives(embedder, name, index):
    image, landmarks = portrait(name, index)
    _, theirs = native_vectors(image)
    ours = embedder.embed([image], [landmarks])[0]
    assert float(ours @ theirs) > 0.96


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(embedder):
    faces = [portrait(*person) for person in PEOPLE[:2]]
    together = embedder.embed([face[0] for face in faces], [face[1] for face in faces])
    assert together.shape == (2, 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = embedder.embed([faces[1][0]], [faces[1][1]])
    np.testing.assert_array_equal(alone[0], together[1])
    assert embedder.embed([], []).shape == (0, 128)


def test_the_same_person_scores_higher_than_anyone_else_at_every_size(embedder):
    enrolled = [portrait(*person) for person in PEOPLE]
    gallery = embedder.embed([face[0] for face in enrolled], [face[1] for face in enrolled])
    for size_px in (32.0, 60.0):
        probes = [portrait(*person, size_px, margin=0.6) for person in PEOPLE]
        cosines = embedder.embed([face[0] for face in probes], [face[1] for face in probes]) @ gallery.T
        own, others = np.diag(cosines), cosines[~np.eye(len(PEOPLE), dtype=bool)]
        assert (cosines.argmax(axis=1) == np.arange(len(PEOPLE))).all()
        assert own.min() > others.max()
        assert own.min() >= embedder.known_cosine
        assert others.max() < embedder.known_cosine


def test_the_chip_puts_the_landmarks_where_dlib_has_them():
    image = np.zeros((300, 400, 3), np.uint8)
    angle, scale = np.radians(20), 1.3
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = ((CHIP_POINTS - 75) @ turn.T + [200, 150]).astype(np.float32)
    for x, y in landmarks.round().astype(int):
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    # One pixel of play: marks are set on whole pixels, and dlib counts from pixel corners.
    face = chip(image, landmarks)
    assert face.shape == (CHIP_PX, CHIP_PX, 3)
    for x, y in CHIP_POINTS.round().astype(int):
        rows, columns = np.nonzero(face[y - 6 : y + 7, x - 6 : x + 7, 0] > 127)
        assert abs(rows.mean() - 6) < 1.5
        assert abs(columns.mean() - 6) < 1.5


def test_the_chip_is_rgb_and_without_landmarks_the_centred_square():
    image = np.zeros((200, 100, 3), np.uint8)
    image[:, :, 0] = 200  # blue
    face = chip(image, None)
    assert face.shape == (CHIP_PX, CHIP_PX, 3)
    assert (face == [0, 0, 200]).all()


def test_the_weight_file_is_found_without_importing_its_package():
    assert packaged_weights().stat().st_size > 20_000_000
    assert "face_recognition_models" not in sys.modules


def test_missing_or_wrong_weights_are_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"none\.dat is not dlib's"):
        DlibEmbedder(tmp_path / "none.dat")
    wrong = tmp_path / "wrong.dat"
    wrong.write_bytes(b"nothing like a network" * 100)
    with pytest.raises(ModelError, match="is not dlib's face recognition model"):
        DlibEmbedder(wrong)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match="pip install face_recognition_models"):
        dlib_embedder.packaged_weights()
