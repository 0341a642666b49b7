"""The loop learns, resumes exactly, and stops with a sentence when the loss is not finite."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.tiny import Silent, smooth_faces, tiny_recipe  # noqa: E402
from trt_build.data.batches import TrainBatches  # noqa: E402
from trt_build.errors import RecipeError, TrainingError  # noqa: E402
from trt_build.recipes.losses import AdversarialSpec, LossSpec  # noqa: E402
from trt_build.recipes.timed import OptimiserSpec  # noqa: E402
from trt_build.systems.generator import prepare  # noqa: E402
from trt_build.systems.generator import state as states  # noqa: E402
from trt_build.systems.generator.trainer import GeneratorTrainer  # noqa: E402
from trt_build.systems.generator.validation import Validator  # noqa: E402
from trt_build.training import loop  # noqa: E402
from trt_build.training.checkpoint import last_checkpoint, read_checkpoint  # noqa: E402
from trt_build.training.loop import loaded_batches  # noqa: E402

GAN = LossSpec(adversarial=AdversarialSpec(weight=0.01, width=4, begin=0.3))


def trainer(folder, state, loaders=0):
    folder.mkdir(exist_ok=True)
    recipe, faces = state.recipe, smooth_faces()
    validator = Validator(prepare.validation_sets(faces, recipe), folder)
    batches = loaded_batches(TrainBatches(faces.images, {}, recipe), state.clock.step, loaders, 2)
    return GeneratorTrainer(state, batches, validator, folder, Silent())


def resumed(folder, recipe):
    return states.restored(read_checkpoint(folder / "last.pt", states.SCHEMA), recipe)


def same(left, right):
    pairs = zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("method", ["adamw", "soap"])
@pytest.mark.parametrize("loss", [LossSpec(), GAN], ids=["alone", "against a discriminator"])
def test_resume_is_bit_exact(tmp_path, loss, method):
    recipe = tiny_recipe(steps=6, loss=loss, optimiser=OptimiserSpec(method=method))
    straight = trainer(tmp_path / "a", states.new_state(recipe)).run()
    trainer(tmp_path / "b", states.new_state(recipe)).run(stop_after=3)
    torch.manual_seed(99)
    again = trainer(tmp_path / "b", resumed(tmp_path / "b", recipe)).run()
    assert again.clock.step == straight.clock.step == 6
    assert same(again.model, straight.model)
    assert same(again.ema, straight.ema)
    assert loss.adversarial is None or same(again.rival.model, straight.rival.model)
    one, two = (s.optimiser.state_dict()["state"] for s in (straight, again))
    torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_checkpoint_keeps_clock_and_random_state(tmp_path):
    recipe = tiny_recipe(steps=3)
    state = trainer(tmp_path, states.new_state(recipe)).run()
    expected = torch.get_rng_state()
    torch.manual_seed(5)
    again = resumed(tmp_path, recipe)
    assert again.clock == state.clock
    assert again.clock.seconds > 0
    assert torch.equal(torch.get_rng_state(), expected)
    assert again.history == state.history


def test_a_halt_in_a_step_is_no_training_time(tmp_path, monkeypatch):
    """A stopped process sees the clock jump within a step: each step takes 0.2 s here, the seventh an hour."""
    ticks = iter([seconds for step in range(12) for seconds in (step * 3600.0, step * 3600.0 + (3600 if step == 6 else 0.2))])
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(ticks))
    state = trainer(tmp_path, states.new_state(tiny_recipe(steps=12))).run()
    assert state.clock.seconds == pytest.approx(12 * 0.2)
    assert state.history[-1]["minutes"] == pytest.approx(12 * 0.2 / 60)


def test_a_worker_process_gives_the_same_training(tmp_path):
    recipe = tiny_recipe(steps=3)
    here = trainer(tmp_path / "a", states.new_state(recipe)).run()
    there = trainer(tmp_path / "b", states.new_state(recipe), loaders=1).run()
    assert same(here.model, there.model)


@pytest.mark.parametrize("method", ["adamw", "soap"])
def test_it_learns(tmp_path, method):
    optimiser = OptimiserSpec(method=method, rate=2e-3, warmup_steps=5)
    run = trainer(tmp_path, states.new_state(tiny_recipe(steps=120, optimiser=optimiser)))
    row = run.run().history[-1]
    assert row["clean_psnr_gain"] > 0.3
    names = {path.name for path in tmp_path.iterdir()}
    assert {"last.pt", "best.pt", "validation.csv", "samples-000120.png"} <= names


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    run = trainer(tmp_path, states.new_state(tiny_recipe()))
    with torch.no_grad():
        run._state.model.last.bias.fill_(np.nan)
    with pytest.raises(TrainingError, match="loss is nan at step 0"):
        run.run()


def test_resume_refuses_another_recipe(tmp_path):
    trainer(tmp_path, states.new_state(tiny_recipe(steps=1))).run()
    with pytest.raises(RecipeError, match="another 'batch'"):
        resumed(tmp_path, tiny_recipe(steps=1, batch=4))


def test_a_file_that_is_no_checkpoint(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "x.pt", "some/1")
    torch.save({"weights": 1}, tmp_path / "y.pt")
    with pytest.raises(TrainingError, match="not a checkpoint of this trainer"):
        read_checkpoint(tmp_path / "y.pt", "some/1")
    with pytest.raises(TrainingError, match=r"no checkpoint .*z\.pt': check the path, or train it first"):
        read_checkpoint(tmp_path / "z.pt", "some/1")


def test_a_run_is_not_overwritten_and_none_is_not_resumed(tmp_path):
    with pytest.raises(TrainingError, match=r"nothing to resume in .*: leave --resume out"):
        last_checkpoint(tmp_path, "some/1", resume=True)
    (tmp_path / "last.pt").touch()
    with pytest.raises(RecipeError, match="give --resume"):
        last_checkpoint(tmp_path, "some/1", resume=False)


def test_a_full_disk_at_a_checkpoint_leaves_the_one_before(tmp_path, monkeypatch):
    recipe = tiny_recipe(steps=4)
    trainer(tmp_path, states.new_state(recipe)).run(stop_after=2)
    before = (tmp_path / "last.pt").read_bytes()

    def full(data, path):
        path.write_bytes(b"half a checkpoint")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"the one before is kept.*No space left on device.*--resume"):
        trainer(tmp_path, resumed(tmp_path, recipe)).run()
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


def test_a_record_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "validation.csv").mkdir()
    with pytest.raises(TrainingError, match=r"The record in .* cannot be written: .*--resume"):
        trainer(tmp_path, states.new_state(tiny_recipe(steps=1))).run()


def test_the_discriminator_rests_until_its_turn_and_learns_then(tmp_path):
    recipe = tiny_recipe(steps=10, loss=GAN)
    state = states.new_state(recipe)
    untrained = [parameter.clone() for parameter in state.rival.model.parameters()]
    run = trainer(tmp_path, state)
    run.run(stop_after=3)
    assert all(torch.equal(a, b) for a, b in zip(untrained, state.rival.model.parameters(), strict=True))
    assert "adversarial" not in run._watcher.parts
    run.run()
    assert {"pixel", "fourier", "adversarial", "rival"} == set(run._watcher.parts)
    assert not all(torch.equal(a, b) for a, b in zip(untrained, state.rival.model.parameters(), strict=True))
