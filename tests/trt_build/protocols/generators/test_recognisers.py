"""The chip of a small face shows the same place, and vectors are kept."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("dlib", reason="landmarks of the sharp face are dlib's")

from engine.errors import ModelError
from trt_build.data import degradation
from trt_build.data.dlib_faces import CHIP_PX, Embedder, cut_chip
from trt_build.protocols.generators import recognisers
from trt_build.protocols.generators.recognisers import DlibRecogniser, OnnxRecogniser, find_places
from trt_build.systems.generator.smoke import smoke_faces

FACES = smoke_faces(2, 0).images


def test_the_chip_of_a_small_face_shows_the_same_place():
    (matrix,) = find_places(FACES[:1])
    sharp = cut_chip(FACES[0], matrix, 144).astype(float)
    small = cut_chip(degradation.clean(FACES[0], 72), matrix, 144).astype(float)
    assert sharp.shape == (CHIP_PX, CHIP_PX)

    def error(shift):
        return np.abs(np.roll(small, shift, axis=1) - sharp)[20:-20, 20:-20].mean()

    assert min(range(-4, 5), key=error) == 0


def test_vectors_have_length_one_and_are_kept(tmp_path):
    counted = []
    recogniser = DlibRecogniser(find_places(FACES), 144, tmp_path)
    first = recogniser.vectors(FACES, counted.append)
    recogniser.close()
    assert sum(counted) == 2
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, rtol=1e-5)
    assert np.any(first[0] != first[1])
    again = Embedder(tmp_path)
    again._session.close()
    again._session = SimpleNamespace(close=lambda: None)
    chips = [cut_chip(face, place, 144) for face, place in zip(FACES, find_places(FACES), strict=True)]
    kept = again(np.stack(chips))
    again.close()
    np.testing.assert_allclose(kept / np.linalg.norm(kept, axis=1, keepdims=True), first, rtol=1e-6)


def test_another_embedder_gets_landmarks_in_the_picture_that_it_sees(monkeypatch):
    seen = []

    class Fake:
        name = "fake"

        def __init__(self, path):
            self.path = path

        def embed(self, pictures, landmarks):
            seen.append((pictures[0].shape, landmarks[0]))
            return np.ones((1, 4), np.float32)

        def close(self):
            pass

    monkeypatch.setattr(recognisers, "OnnxEmbedder", Fake)
    places = find_places(FACES)
    recogniser = OnnxRecogniser("x.onnx", places, 144)
    recogniser.vectors(FACES, lambda _: None)
    found = recogniser.vectors(np.stack([degradation.clean(face, 36) for face in FACES]), lambda _: None)
    recogniser.close()
    assert recogniser.name == "fake"
    np.testing.assert_allclose(found, 0.5)
    assert [shape for shape, _ in seen] == [(144, 144, 3)] * 2 + [(36, 36, 3)] * 2
    np.testing.assert_allclose((seen[2][1] + 0.5) * 4, seen[0][1] + 0.5, rtol=1e-4)
    eyes = seen[0][1][:2]
    assert 25 < np.linalg.norm(eyes[1] - eyes[0]) < 70


def test_a_file_that_is_no_embedder_is_named(tmp_path):
    with pytest.raises(ModelError, match="none"):
        OnnxRecogniser(tmp_path / "none.onnx", find_places(FACES), 144)
