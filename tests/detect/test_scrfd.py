"""SCRFD packs through insightface's real model zoo, with small models of SCRFD's layout."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.frames import Planes
from engine.contracts.manifest import sha256_of
from engine.detect import scrfd
from engine.detect.scrfd import Scrfd
from engine.errors import InferenceError, MissingRuntimeError, ModelError
from engine.pictures.colour import planes_from_bgr
from tests.onnx_models import doubling_model, scrfd_model


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    directory = tmp_path / "models" / "tiny"
    directory.mkdir(parents=True)
    (directory / "1k3d68.onnx").write_bytes(b"never opened: the detector comes first")
    (directory / "det_tiny.onnx").write_bytes(scrfd_model())
    return directory


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def white_cell(x: int, y: int, width: int, height: int, side: int = 16) -> Planes:
    image = np.zeros((height, width), np.uint8)
    image[y : y + side, x : x + side] = 255
    return planes_from_bgr(image)


@pytest.mark.parametrize("size", [(256, 192), (250, 180), (256, 180)])
def test_finds_the_face_where_it_is(pack: Path, size: tuple[int, int]):
    detector = Scrfd(str(pack), None)
    (faces,) = detector.detect([white_cell(64, 48, *size)])
    assert len(faces) == 1
    np.testing.assert_allclose(faces.boxes[0], [32, 16, 64, 64], atol=1e-3)
    np.testing.assert_allclose(faces.landmarks[0], [64, 48] + np.arange(10).reshape(5, 2) / 10 * 16, atol=1e-3)
    assert faces.scores[0] > 0.98


def test_a_fixed_input_is_scaled_to(pack: Path):
    (pack / "det_tiny.onnx").write_bytes(scrfd_model(128))
    (faces,) = Scrfd(str(pack), None).detect([white_cell(128, 96, 256, 256, side=32)])
    np.testing.assert_allclose(faces.boxes, [[64, 32, 128, 128]], atol=2)


def test_facts_and_threshold(pack: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scrfd, "PACKS", pack.parent)
    detector = Scrfd("tiny", 0.999)
    assert (detector.name, detector.profile.best, detector.min_score) == ("scrfd:tiny", 1, 0.999)
    assert detector.model_sha256 == sha256_of(pack / "det_tiny.onnx")
    assert detector.runtime.startswith("insightface 2.")
    assert "non-commercial" in detector.licence
    pictures = [white_cell(64, 48, 256, 192), planes_from_bgr(np.zeros((100, 90), np.uint8))]
    assert [len(faces) for faces in detector.detect(pictures)] == [0, 0]
    assert [len(faces) for faces in Scrfd("tiny", 0.9).detect(pictures)] == [1, 0]
    detector.close()


def test_a_missing_pack_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scrfd, "PACKS", tmp_path)
    told = rf"no InsightFace pack 'buffalo_l' in {tmp_path}/buffalo_l: .*insightface-cli model.download buffalo_l"
    with pytest.raises(ModelError, match=told):
        Scrfd("buffalo_l", None)
    assert list(tmp_path.iterdir()) == []


def test_a_pack_without_a_detector_says_what_it_holds(tmp_path: Path):
    with pytest.raises(ModelError, match="holds no ONNX file"):
        Scrfd(str(tmp_path), None)
    (tmp_path / "det.onnx").write_bytes(b"text")
    with pytest.raises(ModelError, match=r"det\.onnx cannot be loaded by insightface"):
        Scrfd(str(tmp_path), None)
    (tmp_path / "det.onnx").write_bytes(doubling_model())
    with pytest.raises(ModelError, match=r"holds det\.onnx, and none is an SCRFD detector"):
        Scrfd(str(tmp_path), None)


def test_a_failing_model_is_an_error_and_not_an_empty_answer(pack: Path, monkeypatch: pytest.MonkeyPatch):
    detector = Scrfd(str(pack), None)
    monkeypatch.setattr(detector._model, "session", None)
    with pytest.raises(InferenceError, match="scrfd:tiny failed on"):
        detector.detect([white_cell(0, 0, 64, 64)])


def test_a_missing_package(pack: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "insightface.model_zoo", None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[insightface\]'"):
        Scrfd(str(pack), None)
