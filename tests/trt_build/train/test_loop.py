"""The loop learns, resumes exactly, and stops with a sentence when the loss is not finite."""

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.models.catalog import find_model  # noqa: E402
from tests.trt_build.tiny import Silent, smooth_faces, tiny_recipe  # noqa: E402
from trt_build.errors import RecipeError, TrainingError  # noqa: E402
from trt_build.onnx_generator import OnnxGenerator  # noqa: E402
from trt_build.train import prepare  # noqa: E402
from trt_build.train import state as states  # noqa: E402
from trt_build.train.dataset import TrainBatches  # noqa: E402
from trt_build.train.loop import Trainer  # noqa: E402
from trt_build.train.recipe import GeneratorSpec, OptimiserSpec  # noqa: E402
from trt_build.train.validation import enlarge_with  # noqa: E402


def trainer(folder, state, workers=0):
    folder.mkdir(exist_ok=True)
    recipe, faces = state.recipe, smooth_faces()
    validator = prepare.validator(faces, recipe, folder)
    data = TrainBatches(faces.images, None, recipe)
    return Trainer(state, data, validator, folder, Silent(), workers)


def same(left, right):
    pairs = zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_resume_is_bit_exact(tmp_path):
    recipe = tiny_recipe(steps=6)
    straight = trainer(tmp_path / "a", states.new_state(recipe)).run()
    trainer(tmp_path / "b", states.new_state(recipe)).run(stop_after=3)
    torch.manual_seed(99)
    resumed = trainer(tmp_path / "b", states.restore(tmp_path / "b" / "last.pt", recipe)).run()
    assert resumed.clock.step == straight.clock.step == 6
    assert same(resumed.model, straight.model)
    assert same(resumed.ema, straight.ema)
    one, two = (s.optimiser.state_dict()["state"] for s in (straight, resumed))
    assert all(torch.equal(one[i][k], two[i][k]) for i in one for k in one[i])


def test_checkpoint_keeps_clock_and_random_state(tmp_path):
    recipe = tiny_recipe(steps=3)
    state = trainer(tmp_path, states.new_state(recipe)).run()
    expected = torch.get_rng_state()
    torch.manual_seed(5)
    again = states.restore(tmp_path / "last.pt", recipe)
    assert again.clock == state.clock
    assert again.clock.seconds > 0
    assert torch.equal(torch.get_rng_state(), expected)
    assert again.history == state.history


def test_a_worker_process_gives_the_same_training(tmp_path):
    recipe = tiny_recipe(steps=3)
    here = trainer(tmp_path / "a", states.new_state(recipe)).run()
    there = trainer(tmp_path / "b", states.new_state(recipe), workers=1).run()
    assert same(here.model, there.model)


def test_it_learns(tmp_path):
    optimiser = OptimiserSpec(rate=2e-3, warmup_steps=5)
    run = trainer(tmp_path, states.new_state(tiny_recipe(steps=120, optimiser=optimiser)))
    row = run.run().history[-1]
    assert row["clean_psnr_gain"] > 0.3
    names = {path.name for path in tmp_path.iterdir()}
    assert {"last.pt", "best.pt", "validation.csv", "samples-000120.png"} <= names


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    run = trainer(tmp_path, states.new_state(tiny_recipe()))
    with torch.no_grad():
        run.state.model.last.bias.fill_(np.nan)
    with pytest.raises(TrainingError, match="loss is nan at step 0"):
        run.run()


def test_resume_refuses_another_recipe(tmp_path):
    trainer(tmp_path, states.new_state(tiny_recipe(steps=1))).run()
    with pytest.raises(RecipeError, match="another 'batch'"):
        states.restore(tmp_path / "last.pt", tiny_recipe(steps=1, batch=4))


def test_a_file_that_is_no_checkpoint(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="not a readable checkpoint"):
        states.read_checkpoint(tmp_path / "x.pt")
    torch.save({"weights": 1}, tmp_path / "y.pt")
    with pytest.raises(TrainingError, match="not a checkpoint of this trainer"):
        states.read_checkpoint(tmp_path / "y.pt")
    with pytest.raises(TrainingError, match="no checkpoint"):
        states.read_checkpoint(tmp_path / "z.pt")


def test_training_can_begin_with_an_exported_generator():
    options = {"width": 48, "blocks": 8, "scale": 4}
    recipe = msgspec.structs.replace(tiny_recipe(), generator=GeneratorSpec("compact", options), start="compact_x4")
    model = states.new_state(recipe).model.eval()
    low = np.random.default_rng(0).integers(0, 256, (1, 12, 16), dtype=np.uint8)
    theirs = OnnxGenerator(find_model("compact_x4"), 1)(low)
    np.testing.assert_allclose(enlarge_with(model, low).astype(int), theirs, atol=1)
    other = msgspec.structs.replace(recipe, generator=GeneratorSpec("compact", options | {"width": 32}))
    with pytest.raises(RecipeError, match="is not the recipe's network"):
        states.new_state(other)
    with pytest.raises(RecipeError, match="no generator 'nobody'"):
        states.new_state(msgspec.structs.replace(recipe, start="nobody"))
