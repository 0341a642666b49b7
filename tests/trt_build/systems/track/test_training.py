from __future__ import annotations

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("skimage", reason="the faces are scikit-image's")

import cv2  # noqa: E402

from engine.contracts.manifest import read_manifest  # noqa: E402
from trt_build.errors import RecipeError  # noqa: E402
from trt_build.recipes.timed import BudgetSpec, OptimiserSpec  # noqa: E402
from trt_build.recipes.track import ClipSpec, TrackDataSpec, TrackDrawSpec, TrackNetworkSpec, TrackRecipe  # noqa: E402
from trt_build.systems.generator.smoke import smoke_faces  # noqa: E402
from trt_build.systems.track.export import export_track  # noqa: E402
from trt_build.systems.track.state import load_track_network, single_frame_network  # noqa: E402
from trt_build.systems.track.training import train_track  # noqa: E402


class Silent:
    def on_prepare(self, what, done, total): ...

    def on_step(self, step, fraction, loss, parts, rate): ...

    def on_validation(self, row): ...


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> TrackRecipe:
    folder = tmp_path_factory.mktemp("faces")
    for seed, part in enumerate(("train", "val")):
        faces = smoke_faces(4, seed)
        for name, image in zip(faces.names, faces.images, strict=True):
            (folder / part / name).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / part / name), image)
    return TrackRecipe(
        name="tiny",
        budget=BudgetSpec(steps=2),
        data=TrackDataSpec(
            train=str(folder / "train"), validation=str(folder / "val"), sizes_px=(12,), passes=(1,), validation_faces=2,
            validation_crfs=(28,),
        ),
        clips=ClipSpec(frames=9, kept=2),
        draw=TrackDrawSpec(frames=(2,), pixels=600),
        network=TrackNetworkSpec(width=8, blocks=1),
        optimiser=OptimiserSpec(rate=1e-3, warmup_steps=1),
        frozen_steps=1,
        threads=1,
        loaders=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, train_track(recipe, folder, Silent())


def test_a_run_learns_both_parts_and_tells_what_it_gains_over_one_frame(run, recipe):
    folder, state = run
    assert state.clock.step == 2
    began = single_frame_network(recipe).state_dict()
    assert not torch.equal(state.model.encoder.head.weight, began["head.weight"]), "learnt after its first, frozen, step"
    assert state.model.last.weight.abs().max() > 0
    assert {"default_12px_crf28", "mean_12px_crf28", "frames1_12px_crf28", "frames2_12px_crf28", "merit"} <= set(
        state.history[-1]
    )
    assert len(list((folder / "cache").glob("tracks-12-*.npz"))) == 2


def test_it_goes_on_where_it_stood_and_not_with_other_clips(run, recipe):
    folder, _ = run
    longer = msgspec.structs.replace(recipe, budget=BudgetSpec(steps=3), encoder_rate=0.25)
    state = train_track(longer, folder, Silent(), resume=True)
    assert state.clock.step == 3
    assert state.optimiser.param_groups[1]["lr"] == pytest.approx(0.25 * state.optimiser.param_groups[0]["lr"])
    with pytest.raises(RecipeError, match="clips"):
        train_track(msgspec.structs.replace(longer, clips=ClipSpec(frames=9, kept=3)), folder, Silent(), resume=True)


def test_what_is_exported_computes_the_same_in_half_the_place(run, tmp_path):
    folder, _ = run
    manifest = export_track(folder / "best.pt", tmp_path, "some", "Apache-2.0", "faces")
    assert read_manifest(tmp_path / "some.json") == manifest
    assert (manifest.kind, manifest.scale) == ("track", 4)
    assert manifest.parity is not None
    assert {shape[0] for shape in manifest.parity.checked_shapes} >= {1, 2, 8}
    network = load_track_network(folder / "best.pt")[0]
    numbers = sum(one.numel() for one in network.parameters())
    assert manifest.parameters == numbers
    assert (tmp_path / "some.onnx").stat().st_size < 2.4 * numbers + 60_000
    assert np.isfinite(manifest.parity.max_abs_error)
