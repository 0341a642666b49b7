"""A second look learns to tell a drawn face from a blank, and the export says the same."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.detect.face_windows import CONTEXTS, SIDE_PX  # noqa: E402
from engine.detect.second_look import SecondLook as Shipped  # noqa: E402
from engine.sessions.session import SessionSpec  # noqa: E402
from tests.trt_build.data.scenes.made import BOX, drawn_face  # noqa: E402
from tests.trt_build.networks.test_grey_detector import Quiet  # noqa: E402
from trt_build.data.scenes.teacher import Labelled  # noqa: E402
from trt_build.errors import DataError  # noqa: E402
from trt_build.networks.second_look import SecondLook, count_parameters  # noqa: E402
from trt_build.protocols.second_look.limits import Judged, choose, figures, rows  # noqa: E402
from trt_build.recipes.detector import DetectorRecipe  # noqa: E402
from trt_build.recipes.files import find_recipe, read_recipe_of  # noqa: E402
from trt_build.recipes.second_look import CandidateSpec, SecondLookRecipe  # noqa: E402
from trt_build.recipes.timed import BudgetSpec, OptimiserSpec  # noqa: E402
from trt_build.systems.second_look import samples  # noqa: E402
from trt_build.systems.second_look.candidates import Candidates  # noqa: E402
from trt_build.systems.second_look.export import export_network, export_second_look  # noqa: E402
from trt_build.systems.second_look.samples import WindowBatches, plain_windows  # noqa: E402
from trt_build.systems.second_look.training import (  # noqa: E402
    SCHEMA,
    State,
    Trainer,
    begin_as,
    hardness,
    load_second_look,
    looked,
    misplaced,
    without_forgotten,
)
from trt_build.training.loop import loaded_batches  # noqa: E402
from trt_build.training.run_state import RunState  # noqa: E402


def recipe(**changes: object) -> SecondLookRecipe:
    options: dict[str, object] = {
        "name": "tiny",
        "material": "",
        "candidates": CandidateSpec(detector=""),
        "widths": (8, 8, 8),
        "budget": BudgetSpec(steps=60),
        "optimiser": OptimiserSpec(rate=1e-2, warmup_steps=5, ema_decay=0.9),
        "batch": 32,
        "threads": 1,
        "loaders": 0,
    }
    return SecondLookRecipe(**(options | changes))


def candidates() -> Candidates:
    """Drawn faces, and as many places in stripes."""
    stripes = np.tile(np.uint8([40, 40, 200, 200]), (144, 36))
    pictures = [drawn_face(tone) for tone in (140, 180, 220)] + [Labelled(stripes), Labelled(stripes.T.copy())]
    return Candidates(
        pictures,
        np.arange(5),
        np.tile(BOX, (5, 1)),
        np.float32([0.9, 0.8, 0.7, 0.6, 0.2]),
        np.float32([0.5, 0.4, 0.3, 0.5, 0.3]),
        np.array([True, True, True, False, False]),
    )


def test_a_batch_is_a_function_of_its_number():
    batches = WindowBatches([candidates()], recipe())
    windows, is_face, places = batches[3]
    assert windows.shape == (32, len(CONTEXTS), SIDE_PX, SIDE_PX)
    assert windows.dtype == np.uint8
    assert is_face.shape == (32,)
    assert 0 < is_face.mean() < 1
    np.testing.assert_array_equal(np.isfinite(places).all(axis=(1, 2)), is_face > 0)
    for one, other in zip((windows, is_face, places), batches[3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert (batches[4][0] != windows).any()


def test_the_box_stays_in_the_middle_of_its_windows():
    """Of the drawn face the middle is brighter than what lies around, in whatever light."""
    windows = plain_windows(candidates())[0][:3].astype(float)
    near = windows[:, 0]
    assert (near[:, 14:26, 14:26].mean(axis=(1, 2)) > near[:, :, :3].mean(axis=(1, 2)) + 20).all()


def test_it_learns_and_what_is_exported_says_the_same(tmp_path):
    made = candidates()
    state: State = RunState.begin(recipe(), SecondLook((8, 8, 8)))
    batches = loaded_batches(WindowBatches([made], recipe()), 0, 0, 1)
    trained = Trainer(state, batches, made, tmp_path, Quiet()).run()
    network, read = load_second_look(tmp_path / "last.pt")
    assert read == trained.recipe
    windows, truth = plain_windows(made)
    said, places = looked(network, windows)
    assert misplaced(places, truth)["corners"] < 0.5 * misplaced(np.zeros_like(places), truth)["corners"]
    assert said[:3].min() > said[3:].max() + 0.2
    limits = choose(Judged.of(made, said), 0.5)
    assert limits.refused_below <= limits.accepted_from <= limits.alone_from
    judged = Judged.of(made, said)
    manifest = export_second_look(copy.deepcopy(network), tmp_path, "small", "none", "drawn", figures(judged, limits, 0.5))
    assert manifest.parameters == count_parameters(network)
    assert len(rows(judged, limits, 0.5)) == 4
    shipped = Shipped(SessionSpec(tmp_path / "small.json"))
    assert shipped.limits == limits
    face = drawn_face(180)
    (faceness,) = shipped.faceness(face.image, face.boxes)
    np.testing.assert_allclose(faceness, looked(network, plain_windows(one(made, 1))[0])[0][0], atol=1e-4)
    shipped.close()


def test_it_begins_as_the_exported_one_computes(tmp_path):
    torch.manual_seed(5)
    exported, begun = SecondLook((8, 8, 8)), RunState.begin(recipe(), SecondLook((8, 8, 8)))
    windows = np.random.default_rng(0).integers(0, 256, (32, len(CONTEXTS), SIDE_PX, SIDE_PX), np.uint8)
    exported.train()(torch.from_numpy(windows).float())
    for name, parameter in exported.named_parameters():  # equal arrays would be written once
        if not name.startswith("layers") or name.endswith("1.bias"):
            torch.nn.init.normal_(parameter, std=0.02)
    export_network(exported, tmp_path / "start.onnx")
    begin_as(begun, tmp_path / "start.onnx", WindowBatches([candidates()], recipe()))
    for ours, theirs in zip(looked(begun.ema, windows), looked(exported, windows), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    with pytest.raises(DataError, match="not a network of the recipe's kind and widths"):
        begin_as(RunState.begin(recipe(), SecondLook((8, 8, 16))), tmp_path / "start.onnx", WindowBatches([], recipe()))


def test_what_the_network_is_wrong_about_is_drawn_more_often():
    made = candidates()
    (losses,) = hardness(SecondLook((8, 8, 8)).eval(), [made], 0.35, Quiet().on_prepare)
    assert (losses > 0).tolist() == [True, True, True, True, False]  # the last has a score below 0.35
    rows = samples._Rows(np.arange(3, 7), np.cumsum([0.0, 3.0, 0.0, 1.0]))
    rng = np.random.default_rng(0)
    drawn = [rows.one(1.0, rng) for _ in range(400)]
    assert set(drawn) == {4, 6}
    assert 0.65 < np.mean([at == 4 for at in drawn]) < 0.85
    assert {rows.one(0.0, rng) for _ in range(100)} == {3, 4, 5, 6}


def test_what_may_be_a_face_that_nobody_labelled_is_left_out_among_people(tmp_path):
    made = candidates()
    among = Candidates(
        made.pictures,
        np.array([0, 1, 1, 3, 4]),
        made.boxes,
        made.scores,
        made.scales,
        np.array([True, False, False, False, False]),
    )
    network = SecondLook((8, 8, 8))
    export_network(network, tmp_path / "start.onnx")
    kept = {least: without_forgotten(among, tmp_path / "start.onnx", least, Quiet().on_prepare) for least in (0.0, 1.01)}
    assert kept[0.0].picture.tolist() == [0, 3, 4]  # the face, and what lies in pictures without one
    assert kept[0.0].is_face.tolist() == [True, False, False]
    assert len(kept[1.01]) == len(among)


def test_nobody_is_asked_for_such_faces_without_a_network_to_start_from():
    with pytest.raises(ValueError, match="give both"):
        recipe(candidates=CandidateSpec(detector="", forgotten_from=0.5))


def one(made: Candidates, at: int) -> Candidates:
    chosen = slice(at, at + 1)
    return Candidates(
        made.pictures,
        made.picture[chosen],
        made.boxes[chosen],
        made.scores[chosen],
        np.ones(1, np.float32),
        made.is_face[chosen],
    )


def test_the_range_of_the_luma_does_not_matter():
    network = SecondLook((8, 8, 8)).eval()
    full = np.random.default_rng(0).integers(0, 256, (4, len(CONTEXTS), SIDE_PX, SIDE_PX)).astype(np.uint8)
    video = np.asarray(np.rint(16 + full * (219 / 255)), np.uint8)
    for one, other in zip(looked(network, full), looked(network, video), strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)


def test_the_shipped_recipe_is_small_and_learns_nothing_of_what_is_kept_apart():
    shipped = read_recipe_of(SecondLookRecipe, find_recipe("second_look"))
    assert count_parameters(SecondLook(shipped.widths)) < 300_000
    assert read_recipe_of(DetectorRecipe, find_recipe(shipped.material)).material.clips.validation_share >= 1 / 3
    assert SCHEMA.startswith("facestream-second-look")
