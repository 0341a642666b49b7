"""ZSSR as a generator of the live side."""

from dataclasses import replace
from importlib.metadata import entry_points

import numpy as np
import pytest

pytest.importorskip("torch", reason="zero-shot learning needs torch")

from engine.errors import InferenceError
from trt_build.systems.zero_shot import generator


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(generator, "SURVEILLANCE", replace(generator.SURVEILLANCE, width=4, steps=2))


def test_it_is_found_by_name():
    (found,) = entry_points(group="facestream.generators", name="zero-shot")
    assert found.load() is generator.ZeroShotGenerator


def test_pictures_of_several_sizes_keep_their_order():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((24, 24), (30, 26), (24, 24))]
    found = generator.ZeroShotGenerator().upscale(pictures)
    assert [one.shape for one in found] == [(48, 48), (60, 52), (48, 48)]
    for small, large in zip(pictures, found, strict=True):
        shrunk = large.reshape(small.shape[0], 2, small.shape[1], 2).mean(axis=(1, 3))
        assert np.corrcoef(shrunk.ravel(), small.ravel())[0, 1] > 0.9


def test_pictures_that_cannot_be_learnt_are_one_sentence():
    with pytest.raises(InferenceError, match="too small to learn"):
        generator.ZeroShotGenerator().upscale([np.zeros((10, 10), np.uint8)])
    with pytest.raises(InferenceError, match="too large to be learnt"):
        generator.ZeroShotGenerator().upscale([np.zeros((1001, 1000), np.uint8)])
