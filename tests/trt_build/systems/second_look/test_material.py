"""What a second look learns from is made anew when its labels change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.data.scenes.made import BOX, drawn_face  # noqa: E402
from tests.trt_build.data.scenes.made import recipe as detector_recipe  # noqa: E402
from trt_build.data.scenes.material import Material  # noqa: E402
from trt_build.recipes.detector import SceneSpec  # noqa: E402
from trt_build.recipes.second_look import CandidateSpec, SecondLookRecipe  # noqa: E402
from trt_build.recipes.timed import BudgetSpec  # noqa: E402
from trt_build.systems.second_look.material import _scenes  # noqa: E402


def test_scenes_of_other_labels_have_another_name(tmp_path):
    """What a detector finds in scenes is kept under their name."""
    scene = SceneSpec(side_px=96, faces=1, smallest_px=30, largest_px=60, pictures=1.0, real=0.0)
    recipe = SecondLookRecipe(
        name="tiny", material="", candidates=CandidateSpec(detector="", scenes=1), budget=BudgetSpec(steps=1), batch=1
    )
    face = drawn_face()
    doubtful = replace(face, unsure=np.float32([[2, 2, 20, 24]]))
    none = replace(face, boxes=np.zeros((0, 4), np.float32), points=np.zeros((0, 5, 2), np.float32), unsure=BOX[None])
    names = []
    for one in (face, doubtful, none, face):
        material = Material([], [], [], pictures=[one])
        name, made = _scenes(detector_recipe(scene=scene), recipe, material, None, tmp_path, lambda *what: None)
        assert len(made) == 1
        names.append(name)
    assert names[0] == names[3]
    assert len(set(names)) == 3
