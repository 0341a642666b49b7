"""Models by whatever they are given as; baselines for each scale."""

import numpy as np
import pytest

from engine.errors import ModelError
from tests.trt_build.protocols.generators.networks import repeating
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.protocols.generators.methods import BASE, baselines, by_scale, open_model, open_models


def test_a_model_is_given_as_file_manifest_or_name(tmp_path, monkeypatch):
    path = repeating(tmp_path)
    monkeypatch.setenv("FACESTREAM_MODELS", str(tmp_path))
    low = np.random.default_rng(0).integers(0, 256, (2, 5, 7), dtype=np.uint8)
    for given in (str(path), str(path.with_suffix(".json")), "repeat_x2"):
        method = open_model(given)
        assert (method.name, method.scale, method.manifest) == ("repeat_x2", 2, path.with_suffix(".json"))
        np.testing.assert_array_equal(method.enlarge(low), low.repeat(2, axis=1).repeat(2, axis=2))


def test_what_is_no_luma_generator_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"no generator 'nothing'.*manifest"):
        open_model("nothing")
    with pytest.raises(ModelError, match="of 3 channels"):
        open_model(str(repeating(tmp_path, "colour", channels=3)))
    with pytest.raises(ModelError, match="detector"):
        open_model("grey")


def test_two_of_one_name_are_told_apart(tmp_path):
    one, two = repeating(tmp_path / "a"), repeating(tmp_path / "b")
    other, clash = repeating(tmp_path, "repeat_x3", 3), repeating(tmp_path, "bicubic", 2)
    models = open_models([str(path) for path in (one, two, other, clash)])
    assert [model.name for model in models] == ["repeat_x2", "repeat_x2#2", "repeat_x3", "bicubic#1"]
    grouped = by_scale(models, "faces")
    assert list(grouped) == [2, 3]
    assert [method.name for method in grouped[3]] == ["bicubic", "lanczos4", "repeat_x3"]


def test_baselines_have_the_scale_and_name_their_implementation():
    low = np.zeros((1, 4, 6), np.uint8)
    for scale in (2, 3):
        for method in baselines(scale, "general"):
            assert method.enlarge(low).shape == (1, 4 * scale, 6 * scale)
            assert method.is_baseline
            assert "OpenCV" in method.about or "Pillow" in method.about
    assert BASE in {method.name for method in baselines(4, "faces")}
    assert list(by_scale([], "general")) == [2, 3, 4]
    assert list(by_scale([], "faces")) == [4]


def test_a_generator_must_keep_its_promise(tmp_path):
    path = repeating(tmp_path)
    manifest = path.with_suffix(".json")
    manifest.write_text(manifest.read_text().replace('"scale": 2', '"scale": 4'))
    with pytest.raises(ModelError, match="promises"):
        OnnxGenerator(path)
