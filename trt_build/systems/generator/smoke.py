"""The smoke test's data and recipe: a minute of real training that needs no data set.

The faces are seeded variations (turned, scaled, mirrored, lit) of the astronaut's face that comes
inside scikit-image (NASA, public domain).
"""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from skimage import data as pictures

from trt_build.data.degradation import Luma8
from trt_build.data.faces import Faces
from trt_build.recipes.degradations import H264Spec, MixtureSpec
from trt_build.recipes.generator import Recipe, ValidationSpec
from trt_build.recipes.timed import BudgetSpec, OptimiserSpec

FACE_CENTRE_X, FACE_CENTRE_Y = 222, 110
SIDE = 144
_HR_PX = 96  # a multiple of the usual scales


def smoke_faces(count: int, seed: int) -> Faces:
    """`count` variations of one face: uint8 (count, 144, 144), names `Astronaut_<seed>/...`."""
    astronaut = pictures.astronaut()  # type: ignore[no-untyped-call]
    picture = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    images = [_vary(picture, np.random.default_rng((seed, i))) for i in range(count)]
    names = tuple(f"Astronaut_{seed}/Astronaut_{seed}_{i:04d}.png" for i in range(count))
    return Faces(np.stack(images), names)


def _vary(picture: NDArray[Any], rng: np.random.Generator) -> Luma8:
    turn, zoom = rng.uniform(-15, 15), rng.uniform(0.85, 1.15)
    centre = (FACE_CENTRE_X + rng.uniform(-8, 8), FACE_CENTRE_Y + rng.uniform(-8, 8))
    matrix = cv2.getRotationMatrix2D(centre, turn, zoom)
    matrix[:, 2] = matrix[:, 2] + SIDE / 2 - np.array(centre)
    face = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.5:
        face = face[:, ::-1]
    lit = 255 * (face / 255.0) ** rng.uniform(0.7, 1.4)
    return np.asarray(np.rint(lit), dtype=np.uint8)


def smoke_recipe(recipe: Recipe) -> Recipe:
    """The same recipe, small: 10 steps of batch 4, one short H.264 clip, 8 validation faces.

    Photographs become clean faces, and learned degradations second-order ones.
    """
    clean = MixtureSpec(clean=1, first_order=0, second_order=0, h264=0)
    return msgspec.structs.replace(
        recipe,
        name=f"{recipe.name}_smoke",
        start={},
        data=msgspec.structs.replace(recipe.data, hr_px=_HR_PX - _HR_PX % recipe.data.scale),
        budget=BudgetSpec(steps=10),
        mixture=clean if recipe.data.kind != "faces" else _without_learned(recipe.mixture),
        late=(),
        batch=4,
        h264=H264Spec(passes=1, frames=6),
        optimiser=OptimiserSpec(rate=5e-4, warmup_steps=4),
        validation=ValidationSpec(faces=8, seed=recipe.validation.seed),
        validate_every_minutes=60,
    )


def _without_learned(mixture: MixtureSpec) -> MixtureSpec:
    return msgspec.structs.replace(mixture, second_order=min(1, mixture.second_order + mixture.learned), learned=0)
