"""Where models are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.contracts.manifest import Manifest, read_manifest, sha256_of, write_manifest
from engine.models import DOWNLOADABLE, embedded_manifests, find_model, models_dir
from tests.assets import shared


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FACESTREAM_MODELS", str(tmp_path / "models"))
    return models_dir()


def manifest_beside(model: Path, name: str) -> Path:
    path = model.with_name(f"{name}.json")
    described = Manifest(
        name=name, kind="embedder", file=model.name, sha256=sha256_of(model), licence="MIT", training_data="none"
    )
    write_manifest(described, path)
    return path


def test_the_environment_chooses_the_folder(folder, tmp_path):
    assert folder == tmp_path / "models"


def test_without_it_the_folder_is_the_user_s_own(monkeypatch):
    monkeypatch.delenv("FACESTREAM_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert models_dir() == Path("/data/facestream/models")


def test_every_embedded_model_is_found_and_whole():
    for path in embedded_manifests():
        assert find_model(path.stem) == path
        assert read_manifest(path).name == path.stem


def test_a_path_is_found_as_it_is(tmp_path):
    model = tmp_path / "mine.onnx"
    model.write_bytes(b"x")
    assert find_model(str(model)) == model
    assert find_model(str(tmp_path / "other.onnx")) is None


def test_a_model_in_the_folder_gives_its_manifest(folder):
    folder.mkdir()
    model = folder / "weights.onnx"
    model.write_bytes(b"x")
    assert find_model("my-model") is None
    assert find_model("my-model") != manifest_beside(model, "my-model") == find_model("my-model")


def test_yunet_gives_the_model_file_itself(folder):
    assert find_model("yunet") is None
    folder.mkdir()
    (folder / "face_detection_yunet_2023mar.onnx").write_bytes(b"x")
    assert find_model("yunet") == folder / "face_detection_yunet_2023mar.onnx"


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "/etc/passwd", "..", ".", "~", "no such", "nul\0"])
def test_a_name_never_leaves_the_folder(folder, name):
    folder.mkdir()
    (folder.parent / "secret.json").write_text("{}")
    assert find_model(name) is None


def test_every_download_is_pinned():
    assert len({entry.name for entry in DOWNLOADABLE}) == len(DOWNLOADABLE)
    for entry in DOWNLOADABLE:
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.url.startswith("https://")
        assert entry.licence
        assert entry.size_bytes > 0


def test_the_pinned_yunet_is_the_published_one():
    path = shared("models/face_detection_yunet_2023mar.onnx")
    (entry,) = (entry for entry in DOWNLOADABLE if entry.name == "yunet")
    assert (path.stat().st_size, sha256_of(path)) == (entry.size_bytes, entry.sha256)
