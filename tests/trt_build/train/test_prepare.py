"""What a run is refused before its first step."""

import cv2
import msgspec
import pytest

from tests.trt_build.tiny import smooth_faces, tiny_recipe
from trt_build.errors import DataError
from trt_build.train.prepare import run_data


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
