"""What the unpaired system learns from: small faces, and nothing that could be a truth."""

import zipfile
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

pytest.importorskip("torch", reason="zero-shot learning needs torch")

from tests.trt_build.tiny import Silent, smooth_faces
from trt_build import cli
from trt_build.data.small_faces import LARGEST_PX, SmallFaces, write_small_faces
from trt_build.errors import DataError
from trt_build.recipes.generator import DataSpec, GeneratorSpec, Recipe, ValidationSpec, ZeroShotOptions
from trt_build.recipes.timed import BudgetSpec
from trt_build.systems.generator import run
from trt_build.systems.zero_shot import targets
from trt_build.systems.zero_shot.zssr import SURVEILLANCE


def folder_of(tmp_path, sides, name="small"):
    folder = tmp_path / name
    folder.mkdir()
    for number, side in enumerate(sides):
        (face,) = smooth_faces(1, side, number).images
        cv2.imwrite(str(folder / f"{number:03d}.png"), face)
    return folder


def test_small_faces_are_brought_to_one_size(tmp_path):
    assert SmallFaces(folder_of(tmp_path, [24, 32, 40]), 32).images.shape == (3, 32, 32)


def test_a_larger_picture_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=rf"'001\.png' in .* has 49x49 px: .* larger than {LARGEST_PX} px"):
        SmallFaces(folder_of(tmp_path, [32, 49]), 32)


def test_bad_sources_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match="do not exist"):
        SmallFaces(tmp_path / "none.zip", 32)
    (tmp_path / "corrupt.zip").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match="cannot be read"):
        SmallFaces(tmp_path / "corrupt.zip", 32)
    with pytest.raises(DataError, match="hold no picture"):
        SmallFaces(folder_of(tmp_path, [], "empty"), 32)


def test_a_stand_in_data_set_is_made_and_holds_nothing_large(tmp_path):
    faces = smooth_faces(6, 144)
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as archive:
        for name, image in zip(faces.names, faces.images, strict=True):
            archive.writestr(name, cv2.imencode(".png", image)[1].tobytes())
    out = tmp_path / "made" / "small.zip"
    assert write_small_faces(tmp_path / "large.zip", out, 32, 4, 1, lambda *_: None) == 4
    small = SmallFaces(out, 32).images
    assert small.shape == (4, 32, 32)
    assert cli.main(["small-faces", str(tmp_path / "large.zip"), "--out", str(tmp_path / "b.zip"), "--count", "3"]) == 0
    assert len(SmallFaces(tmp_path / "b.zip", 32).images) == 3
    assert cli.main(["small-faces", str(tmp_path / "large.zip"), "--out", str(tmp_path / "c.zip"), "--side", "64"]) == 2


def test_targets_are_kept_and_found_again(tmp_path, monkeypatch):
    images = SmallFaces(folder_of(tmp_path, [32] * 18), 32).images
    spec = replace(SURVEILLANCE, width=4, steps=2)
    told = []
    first = targets.zero_shot_targets(images, spec, tmp_path / "cache", lambda *what: told.append(what))
    assert first.shape == (18, 64, 64)
    assert told == [("zero-shot targets", 16, 18), ("zero-shot targets", 18, 18)]
    monkeypatch.setattr(targets, "enlarge_zero_shot", None)
    np.testing.assert_array_equal(targets.zero_shot_targets(images, spec, tmp_path / "cache", lambda *_: None), first)


def recipe(source, **changes):
    made = Recipe(
        name="unpaired",
        data=DataSpec(str(source), "small_faces", hr_px=64, scale=2),
        budget=BudgetSpec(steps=3),
        generator=GeneratorSpec("srgan", {"scale": 2, "width": 8, "blocks": 1, "batch_norm": False}),
        zero_shot=ZeroShotOptions(steps=2, width=4),
        validation=ValidationSpec(faces=2),
        batch=2,
        threads=1,
        loaders=0,
    )
    return msgspec.structs.replace(made, **changes)


def test_a_generator_learns_from_small_faces_alone(tmp_path):
    watcher = Silent()
    state = run.train(recipe(folder_of(tmp_path, [28, 32] * 6)), tmp_path / "run", watcher)
    assert state.clock.step == 3
    assert np.isfinite(watcher.losses).all()
    assert "pseudo_psnr_gain" in watcher.rows[-1]


def test_too_few_small_faces_are_one_sentence(tmp_path):
    with pytest.raises(DataError, match="holds 3 small faces: at least 10"):
        run.train(recipe(folder_of(tmp_path, [32] * 3)), tmp_path / "run", Silent())


def test_a_zip_is_not_lost_to_faces_that_are_too_small(tmp_path):
    source = folder_of(tmp_path, [40, 40, 40], "large")
    out = tmp_path / "out.zip"
    write_small_faces(source, out, 8, 2, 0, print)
    before = out.read_bytes()
    for side, count in ((32, 2), (8, 0)):
        with pytest.raises(DataError):
            write_small_faces(source, out, side, count, 0, print)
    assert out.read_bytes() == before
