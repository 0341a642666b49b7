"""Checkpoints through a stand-in for spandrel."""

import sys
import types

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="checkpoints run on torch")

from engine.errors import MissingRuntimeError, ModelError  # noqa: E402
from trt_build.protocols.generators.methods import open_model  # noqa: E402
from trt_build.protocols.generators.spandrel_model import SpandrelModel  # noqa: E402


class Descriptor:
    """Repeats pixels twice, or as told; counts on what spandrel's descriptors have."""

    def __init__(self, channels=1, scale=2, outputs=None, repeat=2):
        self.input_channels, self.output_channels, self.scale = channels, outputs or channels, scale
        self.architecture = types.SimpleNamespace(name="Repeat")
        self.repeat = repeat

    def eval(self):
        return self

    def __call__(self, tensor):
        assert tensor.dtype == torch.float32
        assert tensor.max() <= 1
        return tensor.repeat_interleave(self.repeat, 2).repeat_interleave(self.repeat, 3)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "2x_repeat.pth"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def spandrel(monkeypatch):
    """Install the stand-in; the returned function says what the loader gives."""
    module = types.ModuleType("spandrel")
    module.ImageModelDescriptor = Descriptor
    monkeypatch.setitem(sys.modules, "spandrel", module)

    def give(what):
        class Loader:
            def __init__(self, device):
                assert device == "cpu"

            def load_from_file(self, path):
                if isinstance(what, Exception):
                    raise what
                return what

        module.ModelLoader = Loader

    give(Descriptor())
    return give


def test_luma_and_rgb_models_enlarge_luma(spandrel, checkpoint):
    low = np.random.default_rng(0).integers(0, 256, (2, 5, 7), dtype=np.uint8)
    expected = low.repeat(2, axis=1).repeat(2, axis=2)
    for channels in (1, 3):
        spandrel(Descriptor(channels))
        np.testing.assert_array_equal(SpandrelModel(checkpoint)(low), expected)


def test_an_rgb_model_takes_colour(spandrel, checkpoint):
    spandrel(Descriptor(3))
    low = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    method = open_model(str(checkpoint))
    np.testing.assert_array_equal(method.enlarge_rgb(low), low.repeat(2, axis=0).repeat(2, axis=1))
    assert (method.name, method.scale, method.manifest, method.is_baseline) == ("2x_repeat", 2, None, False)
    assert "Repeat by spandrel, RGB" in method.about


def test_without_spandrel_it_says_what_to_install(monkeypatch, checkpoint):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(MissingRuntimeError, match="pip install spandrel"):
        SpandrelModel(checkpoint)


def test_what_is_no_single_image_model_is_refused(spandrel, checkpoint, tmp_path):
    with pytest.raises(ModelError, match="no checkpoint"):
        SpandrelModel(tmp_path / "none.pth")
    spandrel(ValueError("unknown architecture"))
    with pytest.raises(ModelError, match=r"ValueError: unknown architecture.*ONNX"):
        SpandrelModel(checkpoint)
    spandrel(Descriptor(4))
    with pytest.raises(ModelError, match="takes 4 channels"):
        SpandrelModel(checkpoint)
    spandrel(types.SimpleNamespace(input_channels=3, output_channels=3, scale=2))
    with pytest.raises(ModelError, match="single-image model"):
        SpandrelModel(checkpoint)


def test_a_wrong_size_is_noticed(spandrel, checkpoint):
    spandrel(Descriptor(repeat=3))
    with pytest.raises(ModelError, match="not a x2"):
        SpandrelModel(checkpoint)(np.zeros((1, 4, 4), np.uint8))
