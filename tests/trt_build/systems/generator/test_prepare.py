"""What a run is refused before its first step."""

import cv2
import msgspec
import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces, tiny_recipe
from trt_build.errors import DataError
from trt_build.recipes.degradations import LateSpec, MixtureSpec
from trt_build.recipes.generator import DataSpec
from trt_build.systems.generator.prepare import run_data


def test_faces_smaller_than_the_truth_are_refused(tmp_path):
    recipe = tiny_recipe()
    for name, side in (("small", 24), ("large", 40)):
        faces = smooth_faces(side=side)
        for file, image in zip(faces.names, faces.images, strict=True):
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / name / file), image)

    def prepare(train, validation, **data):
        places = {"train": str(tmp_path / train), "validation": str(tmp_path / validation)}
        changed = msgspec.structs.replace(recipe.data, **places, **data)
        return run_data(msgspec.structs.replace(recipe, data=changed), tmp_path / "cache", print)

    prepare("large", "large", sizes_px=(8, 10))
    with pytest.raises(DataError, match=r"small' have 24 px, and the recipe asks for truth of 32 px"):
        prepare("small", "large")
    with pytest.raises(DataError, match=r"large' have 40 px, and the recipe asks for truth of 48 px: lower"):
        prepare("large", "large", sizes_px=(8, 12))
    with pytest.raises(DataError, match=r"24 px are smaller than hr_px = 32"):
        prepare("large", "small")


def folder_of_faces(folder, side=40):
    faces = smooth_faces(side=side)
    for file, image in zip(faces.names, faces.images, strict=True):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / file), image)
    return str(folder)


def test_what_comes_up_late_has_its_bank_too(tmp_path):
    data = DataSpec(train=folder_of_faces(tmp_path / "a"), validation=folder_of_faces(tmp_path / "b"), hr_px=32)
    late = (LateSpec(from_step=2, mixture=MixtureSpec(clean=0, first_order=0, second_order=0, h264=1)),)
    found = run_data(tiny_recipe(data=data, late=late), tmp_path / "cache", lambda *_: None)
    low, _ = found.batches[3]
    assert low.shape == (2, 1, 8, 8)
    assert np.isfinite(low).all()
    assert list((tmp_path / "cache").glob("h264-*.npy"))
