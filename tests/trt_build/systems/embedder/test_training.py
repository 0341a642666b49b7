import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.models.dlib_embedder import packaged_weights  # noqa: E402
from engine.models.dlib_weights import read_dlib_weights  # noqa: E402
from tests.trt_build.data.test_chips import faces, recipe  # noqa: E402
from trt_build.data.chips import ChipBatches  # noqa: E402
from trt_build.errors import DataError, RecipeError  # noqa: E402
from trt_build.measures.verification import generated_pairs  # noqa: E402
from trt_build.networks.dlib_resnet import DlibResNet  # noqa: E402
from trt_build.recipes.embedder import EmbedderLossSpec  # noqa: E402
from trt_build.recipes.timed import BudgetSpec, OptimiserSpec  # noqa: E402
from trt_build.systems.embedder.training import (  # noqa: E402
    SCHEMA,
    Trainer,
    adaptation_loss,
    check_split,
    load_embedder,
    new_state,
    sharp_vectors,
    train_embedder,
)


class Quiet:
    def __init__(self):
        self.rows, self.parts, self.prepared = [], [], 0

    def on_prepare(self, what, done, total):
        self.prepared = total

    def on_step(self, step, fraction, loss, parts, rate):
        self.parts.append(parts)

    def on_validation(self, row):
        self.rows.append(row)


def batches_of(some):
    step = 0
    while True:
        yield [torch.from_numpy(part) for part in some[step]]
        step += 1


def test_two_steps_change_the_network_a_little_and_are_kept(tmp_path):
    weights, some, watcher = read_dlib_weights(packaged_weights()), faces(), Quiet()
    chosen = recipe()
    targets = sharp_vectors(some, weights, tmp_path, watcher.on_prepare)
    assert watcher.prepared == 8
    np.testing.assert_array_equal(sharp_vectors(some, weights, tmp_path, None), targets)
    batches = batches_of(ChipBatches(some, chosen))
    state = Trainer(new_state(chosen, weights), batches, targets, some.people, some, tmp_path, watcher).run()
    assert state.clock.step == 2
    assert {"tar_sharp", "tar_12", "tar_32", "merit"} <= watcher.rows[-1].keys()
    kept, again = load_embedder(tmp_path / "last.pt", weights)
    assert again == chosen
    before, after = DlibResNet(weights).state_dict(), kept.state_dict()
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert {"stem.weight", "first.0.weight", "second.9.bias"} <= changed
    assert not changed & {"first.10.weight", "second.13.bias", "projection"}
    chip = torch.from_numpy(some.sharp_chip(0))[None, None].float()
    with torch.inference_mode():
        vector = kept(chip).numpy()[0]
    assert 0 < np.linalg.norm(vector - targets[0, 0]) < 0.2


def test_the_loss_falls_from_step_to_step(tmp_path):
    weights, some, watcher = read_dlib_weights(packaged_weights()), faces(), Quiet()
    chosen = recipe(budget=BudgetSpec(steps=6), optimiser=OptimiserSpec(rate=3e-4, warmup_steps=1, ema_decay=0.9))
    targets = sharp_vectors(some, weights, tmp_path, watcher.on_prepare)
    batches = itertools.repeat([torch.from_numpy(part) for part in ChipBatches(some, chosen)[0]])
    Trainer(new_state(chosen, weights), batches, targets, some.people, some, tmp_path, watcher).run()
    assert watcher.parts[-1]["small"] < 0.8 * watcher.parts[0]["small"]


def test_another_network_is_not_resumed(tmp_path):
    weights, chosen = read_dlib_weights(packaged_weights()), recipe(adapted_blocks=3)
    new_state(chosen, weights).save(tmp_path / "last.pt", SCHEMA)
    with pytest.raises(RecipeError, match="another 'adapted_blocks'"):
        train_embedder(recipe(), tmp_path, Quiet(), resume=True)


def test_the_loss_is_nothing_where_the_vectors_are_right():
    everyone = torch.nn.functional.normalize(torch.randn(6, 128, generator=torch.Generator().manual_seed(0)), dim=1)
    rivals = ~torch.eye(6, dtype=torch.bool)
    sharp = torch.tensor([True, False, True, False, True, False])
    spec = EmbedderLossSpec()
    right, parts = adaptation_loss(everyone, everyone, sharp, everyone, rivals, spec)
    assert float(right) < 1e-4
    assert parts["small"] == parts["sharp"] == 0
    wrong, _ = adaptation_loss(everyone.roll(1, 0), everyone, sharp, everyone, rivals, spec)
    assert float(wrong) > 1


def test_generated_pairs_by_hand():
    people = ["ann"] * 4 + ["bob"] * 2 + ["cyn"]
    pairs = generated_pairs(people, 0, per_person=3, different=1000)
    named = [(people[a], people[b]) for a, b in zip(pairs.left, pairs.right, strict=True)]
    assert all((a == b) == same for (a, b), same in zip(named, pairs.same, strict=True))
    assert pairs.same.sum() == 3 + 1
    assert (~pairs.same).sum() == 4 * 2 + 4 * 1 + 2 * 1
    assert len({frozenset(pair) for pair in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)}) == len(named)
    assert (~generated_pairs(people, 0, different=5).same).sum() == 5


def test_too_few_people_are_one_sentence():
    some = faces(8)
    training, apart = some.split(0.5, 0)
    check_split(training, apart, "faces.zip")
    for share in (0.0, 0.25, 1.0):
        with pytest.raises(DataError, match=r"'faces\.zip' has too few people"):
            check_split(*some.split(share, 0), "faces.zip")
