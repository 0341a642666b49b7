import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from engine.models.dlib_embedder import CHIP_POINTS, CHIP_PX
from engine.verify.align import align, similarity_transform
from trt_build.data.chips import ChipBatches, ChipFaces, _error
from trt_build.recipes.embedder import EmbedderRecipe, FacesSpec
from trt_build.recipes.timed import BudgetSpec
from trt_build.systems.generator.smoke import smoke_faces

PLACES = np.array(CHIP_POINTS)
POINTS = np.array([[52, 60], [92, 60], [72, 84], [57, 102], [87, 102]], np.float32)


def recipe(**changes):
    options = {"name": "tiny", "faces": FacesSpec(train="", teacher=""), "budget": BudgetSpec(steps=2)}
    return EmbedderRecipe(**(options | {"batch": 4, "threads": 1, "loaders": 0, "validation_faces": 8} | changes))


def faces(count=8):
    images = smoke_faces(count, 0).images
    matrices = np.stack([similarity_transform(PLACES, POINTS)] * count)
    return ChipFaces(images, matrices, tuple(f"person{index // 2}/{index}.jpg" for index in range(count)))


def test_a_sharp_chip_is_the_one_that_the_engine_cuts():
    some = faces(2)
    theirs = align(np.repeat(some.images[0][:, :, None], 3, axis=2), POINTS, CHIP_PX, PLACES)[:, :, 0]
    ours = some.sharp_chip(0)
    inside = theirs > 0
    assert np.abs(ours.astype(int) - theirs)[inside].mean() < 3  # cubic here, linear there


def test_a_small_chip_shows_the_face_at_the_same_place_with_less_detail():
    some = faces(1)
    sharp, small = some.sharp_chip(0).astype(float), some.small_chip(0, 24).astype(float)
    assert np.corrcoef(sharp.ravel(), small.ravel())[0, 1] > 0.9
    assert np.abs(np.diff(small)).mean() < 0.7 * np.abs(np.diff(sharp)).mean()


def test_a_batch_depends_on_the_step_alone_and_an_epoch_shows_each_face_once():
    some = ChipBatches(faces(), recipe())
    for first, again in zip(some[3], ChipBatches(faces(), recipe())[3], strict=True):
        np.testing.assert_array_equal(first, again)
    chips, indices, mirrored, sharp = some[0]
    assert chips.shape == (4, 1, CHIP_PX, CHIP_PX)
    assert chips.dtype == np.uint8
    assert mirrored.dtype == sharp.dtype == np.bool_
    assert sorted([*indices, *some[1][1]]) == list(range(8))


def test_errors_of_the_landmarks_are_of_the_size_that_was_asked_for():
    matrix, rng = similarity_transform(PLACES, POINTS), np.random.default_rng(0)
    moved = []
    for _ in range(500):
        error = _error(matrix, 0.04, 1.0, rng)
        moved.append(np.linalg.norm(PLACES @ error[:, :2][:2].T + error[:2, 2] - PLACES, axis=1).mean())
    eyes = np.linalg.norm(PLACES[0] - PLACES[1])
    assert 0.02 < np.mean(moved) / eyes < 0.08


def test_people_are_kept_apart_whole_and_always_the_same():
    some = faces(20)
    kept, apart = some.split(0.3, 5)
    assert len(set(apart.people)) == 3
    assert not set(kept.people) & set(apart.people)
    assert sorted(kept.names + apart.names) == sorted(some.names)
    assert some.split(0.3, 5)[1].names == apart.names
    assert some.split(0.3, 6)[1].names != apart.names
    np.testing.assert_array_equal(apart.images[0], some.images[some.names.index(apart.names[0])])
