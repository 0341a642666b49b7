import pytest

from engine.config import VerifyConfig
from engine.contracts.manifest import sha256_of
from engine.errors import ModelError
from engine.models.catalog import find_model
from engine.models.dlib_embedder import packaged_weights
from engine.verify.embedder import open_embedder
from engine.verify.onnx_embedder import OnnxEmbedder
from tests.verify.test_onnx_embedder import write_model


def no_model(name):
    return None


def test_none_is_no_embedder():
    assert open_embedder(VerifyConfig(embedder="none"), no_model) is None


def test_the_default_is_dlib():
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder.name == "dlib"
    assert embedder.length == 128
    assert embedder.sha256 == sha256_of(packaged_weights())
    assert (embedder.known_cosine, embedder.unknown_cosine, embedder.margin_cosine) == (0.935, 0.90, 0.01)
    embedder.close()


def test_a_path_or_the_name_of_an_installed_model(tmp_path):
    path = write_model(tmp_path / "mine.onnx")
    by_path = open_embedder(VerifyConfig(embedder=str(path)), no_model)
    by_name = open_embedder(VerifyConfig(embedder="mine"), {"mine": path}.get)
    assert isinstance(by_path, OnnxEmbedder)
    assert isinstance(by_name, OnnxEmbedder)
    assert by_path.sha256 == by_name.sha256


def test_a_pack_is_looked_for_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelError, match=f"no InsightFace pack 'buffalo_x' in {tmp_path}/.insightface/models"):
        open_embedder(VerifyConfig(embedder="insightface:buffalo_x"), no_model)
    pack = tmp_path / ".insightface" / "models" / "buffalo_x"
    pack.mkdir(parents=True)
    write_model(pack / "w600k_test.onnx")
    embedder = open_embedder(VerifyConfig(embedder="insightface:buffalo_x"), no_model)
    assert embedder is not None
    assert embedder.name == "insightface:buffalo_x"
    assert "non-commercial" in embedder.licence


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ModelError, match="use dlib, insightface:PACK, the path of an ONNX file, or none"):
        open_embedder(VerifyConfig(embedder="arcface"), no_model)
