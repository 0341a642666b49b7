"""Where training begins."""

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.models.catalog import find_model  # noqa: E402
from tests.trt_build.tiny import tiny_recipe  # noqa: E402
from trt_build.errors import RecipeError  # noqa: E402
from trt_build.onnx_generator import OnnxGenerator  # noqa: E402
from trt_build.train import generator_state as states  # noqa: E402
from trt_build.train.recipe import GeneratorSpec  # noqa: E402
from trt_build.train.validation import enlarge_with  # noqa: E402


def test_training_can_begin_with_an_exported_generator():
    options = {"width": 48, "blocks": 8, "scale": 4}
    recipe = msgspec.structs.replace(tiny_recipe(), generator=GeneratorSpec("compact", options), start={"": "compact_x4"})
    model = states.new_state(recipe).model.eval()
    low = np.random.default_rng(0).integers(0, 256, (1, 12, 16), dtype=np.uint8)
    theirs = OnnxGenerator(find_model("compact_x4"), 1)(low)
    np.testing.assert_allclose(enlarge_with(model, low).astype(int), theirs, atol=1)
    other = msgspec.structs.replace(recipe, generator=GeneratorSpec("compact", options | {"width": 32}))
    with pytest.raises(RecipeError, match="is not the recipe's network"):
        states.new_state(other)
    with pytest.raises(RecipeError, match="no generator 'nobody'"):
        states.new_state(msgspec.structs.replace(recipe, start={"": "nobody"}))
    with pytest.raises(RecipeError, match="no part 'structure'"):
        states.new_state(msgspec.structs.replace(recipe, start={"structure": "compact_x4"}))
