"""Where training begins."""

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.models.catalog import find_model  # noqa: E402
from tests.trt_build.tiny import tiny_recipe  # noqa: E402
from trt_build.errors import RecipeError, TrainingError  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402
from trt_build.networks.generators.weights import write_weights  # noqa: E402
from trt_build.networks.onnx_generator import OnnxGenerator  # noqa: E402
from trt_build.recipes.degradations import H264Spec  # noqa: E402
from trt_build.recipes.generator import DataSpec, GeneratorSpec  # noqa: E402
from trt_build.recipes.timed import BudgetSpec  # noqa: E402
from trt_build.systems.generator import state as states  # noqa: E402
from trt_build.systems.generator.validation import enlarge_with  # noqa: E402


def test_training_can_begin_with_an_exported_generator():
    options = {"width": 48, "blocks": 8, "scale": 4}
    recipe = msgspec.structs.replace(tiny_recipe(), generator=GeneratorSpec("compact", options), start={"": "compact_fine_x4"})
    model = states.new_state(recipe).model.eval()
    low = np.random.default_rng(0).integers(0, 256, (1, 12, 16), dtype=np.uint8)
    theirs = OnnxGenerator(find_model("compact_fine_x4"), 1)(low)
    np.testing.assert_allclose(enlarge_with(model, low).astype(int), theirs, atol=1)
    other = msgspec.structs.replace(recipe, generator=GeneratorSpec("compact", options | {"width": 32}))
    with pytest.raises(RecipeError, match="holds another network than the recipe's"):
        states.new_state(other)
    with pytest.raises(RecipeError, match="no generator 'nobody'"):
        states.new_state(msgspec.structs.replace(recipe, start={"": "nobody"}))
    with pytest.raises(RecipeError, match="no part 'structure'"):
        states.new_state(msgspec.structs.replace(recipe, start={"structure": "compact_fine_x4"}))


def test_training_can_begin_with_a_checkpoint_as_one_part_of_a_network(tmp_path):
    options = {"scale": 4, "features": (8, 4)}
    structure = states.new_state(tiny_recipe(generator=GeneratorSpec("srcnn", options)))
    structure.save(tmp_path / "srcnn.pt", states.SCHEMA)
    hybrid = GeneratorSpec("srcnn_srgan", options | {"width": 8, "blocks": 1})
    start = {"structure": str(tmp_path / "srcnn.pt")}
    model = states.new_state(tiny_recipe(generator=hybrid, start=start)).model.eval()
    low = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(model(low), structure.ema(low))
    other = GeneratorSpec("srcnn_srgan", {"scale": 4, "width": 8, "blocks": 1})
    with pytest.raises(RecipeError, match=r"srcnn\.pt' holds another network than the recipe's: they differ in \S+\.$"):
        states.new_state(tiny_recipe(generator=other, start=start))


def test_training_can_begin_with_weights_alone(tmp_path):
    options = {"scale": 4, "features": (8, 4)}
    model = build_generator("srcnn", options)
    path = tmp_path / "srcnn.safetensors"
    write_weights(model, "srcnn", path)
    begun = states.new_state(tiny_recipe(generator=GeneratorSpec(name="srcnn", options=options), start={"": str(path)}))
    low = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(begun.model(low), model(low))
    with pytest.raises(RecipeError, match=r"srcnn\.safetensors' holds another network"):
        states.new_state(tiny_recipe(start={"": str(path)}))


def test_a_part_of_a_larger_network_is_refused(tmp_path):
    path = tmp_path / "larger.safetensors"
    write_weights(build_generator("compact", {"width": 8, "blocks": 2}), "compact", path)
    with pytest.raises(RecipeError, match=r"larger\.safetensors' holds another network than the recipe's: they differ in"):
        states.new_state(tiny_recipe(start={"": str(path)}))


@pytest.mark.parametrize(
    ("generator", "options", "shipped"),
    [
        ("compact", {"width": 48, "blocks": 7, "scale": 4}, "compact_fine_x4"),
        ("compact", {"width": 48, "blocks": 9, "scale": 4}, "compact_fine_x4"),
        ("compact", {"width": 40, "blocks": 8, "scale": 4}, "compact_fine_x4"),
        ("srgan", {"width": 32, "blocks": 8, "scale": 2, "batch_norm": True}, "zssr_srgan_x2"),
        ("srgan", {"width": 32, "blocks": 7, "scale": 2, "batch_norm": False}, "zssr_srgan_x2"),
    ],
)
def test_an_exported_network_of_another_size_or_kind_is_refused(generator, options, shipped):
    with pytest.raises(RecipeError, match=r"holds another network than the recipe's: they differ in \S+\.$"):
        states.load_trained(build_generator(generator, options), shipped)


@pytest.mark.parametrize("name", ["runs/none/best.pt", "none.safetensors"])
def test_a_start_that_was_not_made_yet_is_one_sentence(name):
    with pytest.raises(RecipeError, match=f"start: there is no '{name}': make it first"):
        states.new_state(tiny_recipe(start={"": name}))


def altered(tmp_path, **recipe):
    """A checkpoint of the tiny recipe whose own recipe says something else."""
    path = tmp_path / "altered.pt"
    states.new_state(tiny_recipe()).save(path, states.SCHEMA)
    data = torch.load(path, weights_only=True)
    data["recipe"] |= recipe
    torch.save(data, path)
    return path


def test_a_checkpoint_of_another_network_than_its_recipes_is_refused(tmp_path):
    generator = GeneratorSpec(options={"width": 4, "blocks": 1})
    path = altered(tmp_path, generator=msgspec.to_builtins(generator))
    with pytest.raises(RecipeError, match=r"altered\.pt' holds another network than the recipe's: they differ in"):
        states.load_generator(path)
    with pytest.raises(RecipeError, match="The run's checkpoint holds another network"):
        states.restored(torch.load(path, weights_only=True), tiny_recipe(generator=generator))


def test_a_checkpoint_of_another_version_is_refused(tmp_path):
    path = altered(tmp_path, tempo=3)
    with pytest.raises(TrainingError, match=r"altered\.pt' holds a recipe that this version cannot read .*tempo"):
        states.load_generator(path)
    with pytest.raises(TrainingError, match="cannot read"):
        states.restored(torch.load(path, weights_only=True), tiny_recipe())


def test_generator_and_data_agree_in_their_scale():
    states.check_scale(tiny_recipe())
    recipe = tiny_recipe(generator=GeneratorSpec(name="srcnn", options={"scale": 2}))
    with pytest.raises(RecipeError, match=r"'srcnn' gives x2, and data\.scale is 4"):
        states.check_scale(recipe)


def test_what_stays_frozen_is_not_trained(tmp_path):
    generator = GeneratorSpec("srcnn_srgan", {"scale": 4, "features": (8, 4), "width": 8, "blocks": 1})
    state = states.new_state(tiny_recipe(generator=generator))
    trained = {id(parameter) for group in state.optimiser.param_groups for parameter in group["params"]}
    assert not any(id(parameter) in trained for parameter in state.model.structure.parameters())
    assert all(id(parameter) in trained for parameter in state.model.residual.parameters())


def test_a_network_can_be_moved_towards_its_start(tmp_path):
    recipe = tiny_recipe()
    states.new_state(recipe).save(tmp_path / "first.pt", states.SCHEMA)
    began, _, _ = states.load_generator(tmp_path / "first.pt")
    later = msgspec.structs.replace(recipe, seed=8, start={"": str(tmp_path / "first.pt")})
    for share in (0.0, 0.25, 1.0):
        model = build_generator(recipe.generator.name, recipe.generator.options)
        own = {key: value.clone() for key, value in model.state_dict().items()}
        states.mixed_with_start(model, later, share)
        for key, value in model.state_dict().items():
            torch.testing.assert_close(value, (1 - share) * own[key] + share * began.state_dict()[key])
    with pytest.raises(RecipeError, match="did not begin with a trained network"):
        states.mixed_with_start(model, recipe, 0.5)
    with pytest.raises(RecipeError, match="within 0 and 1"):
        states.mixed_with_start(model, later, 1.5)


def test_counters_of_batch_normalisation_are_not_mixed(tmp_path):
    spec = GeneratorSpec("srgan", {"width": 8, "blocks": 1, "scale": 4})
    states.new_state(tiny_recipe(generator=spec)).save(tmp_path / "start.pt", states.SCHEMA)
    recipe = tiny_recipe(generator=spec, start={"": str(tmp_path / "start.pt")})
    model = states.new_state(recipe).model
    counters = {name: counter for name, counter in model.named_buffers() if name.endswith("num_batches_tracked")}
    for counter in counters.values():
        counter.fill_(7)
    states.mixed_with_start(model, recipe, 0.5)
    assert counters
    assert all(counter.item() == 7 for counter in counters.values())


@pytest.mark.parametrize(
    ("key", "value"),
    [("merit", "features"), ("h264", H264Spec(passes=9)), ("data", DataSpec("train.zip", validation="other.zip", hr_px=32))],
)
def test_a_run_does_not_go_on_with_other_aims_or_data(tmp_path, key, value):
    recipe = tiny_recipe()
    states.new_state(recipe).save(tmp_path / "last.pt", states.SCHEMA)
    data = states.read_checkpoint(tmp_path / "last.pt", states.SCHEMA)
    states.restored(data, msgspec.structs.replace(recipe, budget=BudgetSpec(steps=99), loaders=0))
    with pytest.raises(RecipeError, match=f"begun with another '{key}'"):
        states.restored(data, msgspec.structs.replace(recipe, **{key: value}))
