from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.config import SuperResolveConfig
from engine.errors import ConfigError, MissingRuntimeError, ModelError
from engine.super_resolve.generator import open_generator
from tests.super_resolve.networks import write_network

PICTURE = np.random.default_rng(3).integers(0, 256, (13, 20), np.uint8)


def nothing_found(name: str) -> None:
    return None


def forbidden(name: str) -> None:
    raise AssertionError(f"{name} was looked up")


@pytest.mark.parametrize(
    ("name", "method", "scale"),
    [("bicubic", cv2.INTER_CUBIC, 4), ("lanczos", cv2.INTER_LANCZOS4, 4), ("none", cv2.INTER_NEAREST, 1)],
)
def test_interpolations_are_opencvs_and_need_no_file(name, method, scale):
    generator = open_generator(SuperResolveConfig(generator=name), forbidden)
    (enlarged,) = generator.upscale([PICTURE])
    assert np.array_equal(enlarged, cv2.resize(PICTURE, (20 * scale, 13 * scale), interpolation=method))
    assert (generator.name, generator.scale, generator.sha256, generator.colour) == (name, scale, "", "luma")
    assert generator.runtime.startswith("opencv")
    generator.close()


def test_a_name_is_looked_up(tmp_path):
    path = write_network(tmp_path, name="ours")
    asked = []
    config = SuperResolveConfig(generator="ours", runtime="onnxruntime")
    generator = open_generator(config, lambda name: asked.append(name) or path)
    assert asked == ["ours"]
    assert generator.name == "ours"
    assert generator.runtime.startswith("onnxruntime")
    assert generator.upscale([PICTURE])[0].shape == (52, 80)


@pytest.mark.parametrize("ending", ["json", "onnx"])
def test_a_path_is_taken_as_it_is(tmp_path, ending):
    write_network(tmp_path, name="mine", channels=3, colour="rgb", network_scale=2, scale=2)
    config = SuperResolveConfig(generator=str(tmp_path / f"mine.{ending}"), runtime="onnxruntime")
    generator = open_generator(config, forbidden)
    assert (generator.name, generator.scale, generator.colour) == ("mine", 2, "bgr")


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ModelError, match="no generator named 'magic': use bicubic, lanczos, none, the path"):
        open_generator(SuperResolveConfig(generator="magic"), nothing_found)


def test_a_bare_onnx_that_is_found_by_name_needs_a_manifest(tmp_path):
    write_network(tmp_path, name="bare").unlink()
    with pytest.raises(ModelError, match="has no manifest"):
        open_generator(SuperResolveConfig(generator="bare"), lambda name: tmp_path / f"{name}.onnx")


class Plugin:
    """An entry point, as installed packages have them."""

    name = "theirs"

    def __init__(self, load):
        self.load = load


def test_other_packages_may_bring_generators(monkeypatch):
    asked = []
    plugin = Plugin(lambda: lambda: "their generator")
    monkeypatch.setattr("engine.super_resolve.generator.entry_points", lambda **by: asked.append(by) or [plugin])
    assert open_generator(SuperResolveConfig(generator="theirs"), nothing_found) == "their generator"
    assert asked == [{"group": "facestream.generators", "name": "theirs"}]


def test_a_plugin_without_its_packages_says_what_to_install(monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("engine.super_resolve.generator.entry_points", lambda **_: [Plugin(missing)])
    with pytest.raises(MissingRuntimeError, match=r"the generator theirs needs torch: run `pip install 'facestream\[train\]'`"):
        open_generator(SuperResolveConfig(generator="theirs"), nothing_found)


def test_what_no_session_computes_stays_on_the_cpu():
    with pytest.raises(ConfigError, match=r"super_resolve\.device: bicubic cannot be computed on cuda:0: use cpu"):
        open_generator(SuperResolveConfig(generator="bicubic", device="cuda:0"), nothing_found)
