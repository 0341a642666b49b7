"""Batches are a function of the step, cover all faces, and follow the mixture."""

import msgspec
import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces, tiny_recipe
from trt_build.data.batches import BANKS, KINDS, TrainBatches, mirrored
from trt_build.recipes.degradations import LateSpec, LearnedSpec, MixtureSpec
from trt_build.recipes.generator import Recipe


def batches(bank=None, **changes):
    return TrainBatches(smooth_faces().images, {} if bank is None else {"h264": bank}, tiny_recipe(**changes))


def test_a_step_gives_the_same_batch_in_any_order():
    one, two = batches(), batches()
    wanted = [one[step] for step in range(8)]
    for step in reversed(range(8)):
        for left, right in zip(two[step], wanted[step], strict=True):
            np.testing.assert_array_equal(left, right)


def test_shapes_and_ranges():
    low, high = batches()[0]
    assert low.shape == (2, 1, 8, 8)
    assert high.shape == (2, 1, 32, 32)
    for side in (low, high):
        assert side.dtype == np.float32
        assert side.min() >= 0
        assert side.max() <= 1


def test_an_epoch_shows_every_face_once():
    data = batches()
    seen = [data._index(step, place) for step in range(3) for place in range(2)]
    assert sorted(seen) == list(range(6))


def test_a_clean_pair_is_consistent():
    data = batches(mixture=MixtureSpec(clean=1, first_order=0, second_order=0, h264=0))
    for step in range(4):
        low, high = data[step]
        means = high.reshape(2, 8, 4, 8, 4).mean(axis=(2, 4))
        assert np.abs(means - low[:, 0]).mean() < 0.05


def test_h264_pairs_come_from_the_bank():
    bank = np.full((1, 6, 8, 8), 77, np.uint8)
    data = batches(bank, mixture=MixtureSpec(clean=0, first_order=0, second_order=0, h264=1))
    low, _ = data[0]
    np.testing.assert_allclose(low, 77 / 255)


def test_learned_pairs_come_from_their_own_bank():
    banks = {"h264": np.full((1, 6, 8, 8), 77, np.uint8), "learned": np.full((2, 6, 8, 8), 99, np.uint8)}
    mixture = MixtureSpec(clean=0, first_order=0, second_order=0, h264=0, learned=1)
    spec = LearnedSpec(checkpoint="networks.pt")
    low, _ = TrainBatches(smooth_faces().images, banks, tiny_recipe(mixture=mixture, learned=spec))[0]
    np.testing.assert_allclose(low, 99 / 255)


def test_learned_pairs_need_networks():
    with pytest.raises(ValueError, match=r"learned\.checkpoint"):
        msgspec.convert({**msgspec.to_builtins(tiny_recipe()), "mixture": {"learned": 1}}, Recipe)


@pytest.mark.parametrize("kind", KINDS)
def test_shares_are_normalised(kind):
    shares = dict.fromkeys(KINDS, 0.0) | {kind: 0.25}
    banks = dict.fromkeys(BANKS, np.zeros((1, 6, 8, 8), np.uint8))
    recipe = tiny_recipe(mixture=MixtureSpec(**shares), learned=LearnedSpec(checkpoint="networks.pt"))
    data = TrainBatches(smooth_faces().images, banks, recipe)
    assert data.shares(0).sum() == pytest.approx(1)
    assert data.shares(0).max() == 1


def test_late_shares_begin_at_their_step():
    late = LateSpec(from_step=5, mixture=MixtureSpec(clean=1, first_order=0, second_order=0, h264=0))
    data = batches(late=(late,))
    assert data.shares(4)[0] == 0.5
    assert data.shares(5)[0] == 1


def test_a_batch_has_one_of_the_sizes_that_were_asked_for():
    recipe = tiny_recipe()
    data = msgspec.structs.replace(recipe.data, sizes_px=(4, 6, 8))
    bank = np.full((1, 6, 8, 8), 77, np.uint8)
    some = TrainBatches(
        smooth_faces().images, {"h264": bank}, msgspec.structs.replace(recipe, data=data, mixture=MixtureSpec(h264=1))
    )
    seen = set()
    for step in range(40):
        low, high = some[step]
        assert high.shape[2] == 4 * low.shape[2]
        from_bank = np.abs(low - 77 / 255).max(axis=(1, 2, 3)) < 1e-6
        assert low.shape[2] == 8 or not from_bank.any()
        seen.add(low.shape[2])
    assert seen == {4, 6, 8}


def test_other_sizes_need_more_than_h264():
    recipe = tiny_recipe()
    data = msgspec.structs.replace(recipe.data, sizes_px=(4,))
    only = MixtureSpec(clean=0, first_order=0, second_order=0, h264=1)
    with pytest.raises(ValueError, match="sizes_px"):
        Recipe(name="x", data=data, budget=recipe.budget, mixture=only)


def test_only_those_that_are_asked_for_are_mirrored():
    pictures = np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8)
    assert mirrored(pictures, np.array([True, False])).tolist() == [[[3, 2, 1]], [[4, 5, 6]]]
