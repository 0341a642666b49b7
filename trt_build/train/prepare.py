"""Everything a run needs before its first step: faces, H.264 bank, validation sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from trt_build.evaluate.face_sets import build_set, subset
from trt_build.train.dataset import TrainBatches
from trt_build.train.degradation import Luma8
from trt_build.train.faces import Faces, cached_faces, to_size
from trt_build.train.h264_bank import make_bank
from trt_build.train.recipe import Recipe
from trt_build.train.smoke import smoke_faces
from trt_build.train.validation import Validator

VALIDATED = ("clean", "surveillance")
SMOKE_FACES = 48

Done = Callable[[int], None]
"""Called with the number of faces encoded since the last call."""


def load_run_faces(recipe: Recipe, cache: Path, smoke: bool) -> tuple[Faces, Faces]:
    """The training and validation faces; for a smoke test the bundled ones."""
    if smoke:
        return smoke_faces(SMOKE_FACES, 0), smoke_faces(recipe.validation.faces, 1)
    train = cached_faces(recipe.data.train, cache)
    return train, cached_faces(recipe.data.validation, cache)


def cached_bank(faces: Faces, recipe: Recipe, folder: Path, done: Done) -> Luma8:
    """The bank of these faces, from `folder` if it was made before with the same settings."""
    data = recipe.data
    settings = msgspec.json.encode((recipe.h264, data.hr_px, data.scale, recipe.seed))
    names = "\n".join(faces.names).encode()
    path = folder / f"h264-{hashlib.sha256(settings + names).hexdigest()[:12]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        high = to_size(faces.images, data.hr_px)
        size = data.hr_px // data.scale
        np.save(path, make_bank(high, size, recipe.h264, recipe.seed, done))
    bank: Luma8 = np.load(path, mmap_mode="r")
    return bank


def training_batches(faces: Faces, recipe: Recipe, cache: Path, done: Done) -> TrainBatches:
    """Batches of these faces; the H.264 bank is made or found in `cache`."""
    bank = cached_bank(faces, recipe, cache, done) if recipe.mixture.h264 > 0 else None
    return TrainBatches(faces.images, bank, recipe)


def validator(faces: Faces, recipe: Recipe, folder: Path) -> Validator:
    """The fixed validation subset of the recipe."""
    spec, data = recipe.validation, recipe.data
    chosen = subset(faces, spec.faces, spec.seed)
    sets = [build_set(k, chosen, data.hr_px, data.scale, spec.seed) for k in VALIDATED]
    return Validator(sets, folder)
