import numpy as np
import pytest

from engine.config.verify import VerifyConfig
from engine.contracts.manifest import Manifest, SmallFaces, sha256_of, write_manifest
from engine.errors import ModelError
from engine.models.catalog import find_model
from engine.models.dlib_embedder import packaged_weights
from engine.sessions.session import SessionSpec
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


def write_manifest_of(path, **fields):
    values = {"name": path.stem, "kind": "embedder", "file": path.name, "sha256": sha256_of(path), "licence": "MIT"}
    write_manifest(Manifest(training_data="none", value_range=(-1.0, 1.0), **(values | fields)), path.with_suffix(".json"))
    return path.with_suffix(".json")


def test_a_manifest_may_name_a_network_for_small_faces(tmp_path):
    small = write_model(tmp_path / "small.onnx", bias=3.0)
    write_manifest_of(small)
    helped = SmallFaces(model="small.json", weights=((10.0, 1.0), (20.0, 0.0)))
    main = write_manifest_of(write_model(tmp_path / "main.onnx"), small_faces=helped)
    embedder = open_embedder(VerifyConfig(embedder=str(main)), no_model)
    pictures = [np.full((size, size, 3), 40, np.uint8) for size in (14, 224)]
    vectors = embedder.embed(pictures, [None, None])
    for vector, picture, alone in zip(vectors, pictures, (small, tmp_path / "main.onnx"), strict=True):
        np.testing.assert_allclose(vector, OnnxEmbedder(SessionSpec(alone)).embed([picture], [None])[0], atol=1e-6)
    assert abs(vectors[0] @ vectors[1]) < 0.999
    assert (embedder.name, embedder.sha256) == ("main", sha256_of(tmp_path / "main.onnx"))
    small.unlink()
    with pytest.raises(ModelError, match=r"small\.onnx, which is not beside it"):
        open_embedder(VerifyConfig(embedder=str(main)), no_model)
