import builtins
import sys

import pytest

from engine.config import VerifyConfig
from engine.errors import MissingRuntimeError, ModelError
from engine.verify.dlib_embedder import DlibEmbedder
from engine.verify.embedder import open_embedder
from engine.verify.onnx_embedder import OnnxEmbedder
from tests.verify.test_onnx_embedder import write_model


def no_model(name):
    return None


def test_none_is_no_embedder():
    assert open_embedder(VerifyConfig(embedder="none"), no_model) is None


def test_the_default_is_dlib():
    embedder = open_embedder(VerifyConfig(), no_model)
    assert isinstance(embedder, DlibEmbedder)
    assert embedder.length == 128
    assert len(embedder.sha256) == 64
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


def test_without_dlib_the_message_says_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "dlib":
            raise ImportError("No module named 'dlib'")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "engine.verify.dlib_embedder", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingRuntimeError, match="pip install dlib-bin"):
        open_embedder(VerifyConfig(), no_model)
