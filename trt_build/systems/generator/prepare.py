"""Prepares everything a run needs before its first step: pictures, H.264 bank, validation sets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from trt_build.array_files import write_array
from trt_build.data import photographs
from trt_build.data.batches import TrainBatches
from trt_build.data.degradation import Luma8
from trt_build.data.face_sets import FaceSet, build_set, subset
from trt_build.data.faces import Faces, cached_faces, to_size
from trt_build.data.h264_bank import make_bank
from trt_build.data.pairs import PairBatches
from trt_build.data.photographs import KEPT_APART, PatchBatches
from trt_build.data.small_faces import SmallFaces
from trt_build.errors import DataError
from trt_build.recipes.generator import Recipe
from trt_build.systems.generator.smoke import smoke_faces
from trt_build.systems.redeg.bank import learned_bank
from trt_build.systems.zero_shot.targets import zero_shot_targets
from trt_build.systems.zero_shot.zssr import SURVEILLANCE
from trt_build.work import Done, WorkCount

VALIDATED = ("clean", "surveillance")
SMOKE_FACES = 48


@dataclass(frozen=True)
class RunData:
    """Training and validation data of a generator."""

    batches: TrainBatches | PatchBatches | PairBatches
    validated: list[FaceSet]


def run_data(recipe: Recipe, cache: Path, done: Done, *, smoke: bool = False) -> RunData:
    """Read and make the data of a recipe; ``smoke``: from the pictures that come with scikit-image.

    Raises:
        DataError: data are missing or do not fit.
    """
    if recipe.data.kind == "photographs" and not smoke:
        training, apart = photographs.split(photographs.load_photographs(recipe.data.train), recipe.data)
        return RunData(PatchBatches(training, recipe), [photographs.validation_set(apart, recipe.data.scale)])
    if recipe.data.kind == "small_faces" and not smoke:
        return _from_small_faces(recipe, cache, done)
    faces, others = _faces(recipe, cache, smoke)
    banks = {}
    if any(mixture.h264 for mixture in recipe.mixtures()):
        banks["h264"] = _cached_bank(faces, recipe, cache, done)
    if any(mixture.learned for mixture in recipe.mixtures()):
        banks["learned"] = learned_bank(to_size(faces.images, recipe.data.hr_px), recipe, cache, done)
    return RunData(TrainBatches(faces.images, banks, recipe), validation_sets(others, recipe))


def _from_small_faces(recipe: Recipe, cache: Path, done: Done) -> RunData:
    """Return pairs of small faces and their zero-shot enlargements; there is no high resolution that could be seen."""
    data = recipe.data
    low = SmallFaces(Path(data.train), data.hr_px // data.scale).images
    apart = np.arange(len(low)) % KEPT_APART == KEPT_APART - 1
    if not apart.any():
        raise DataError(f"'{data.train}' holds {len(low)} small faces: at least {KEPT_APART} are needed.")
    spec = replace(SURVEILLANCE, scale=data.scale, steps=recipe.zero_shot.steps, width=recipe.zero_shot.width)
    high = zero_shot_targets(low, spec, cache, done)
    return RunData(PairBatches(low[~apart], high[~apart], recipe), [FaceSet("pseudo", low[apart], high[apart])])


def _faces(recipe: Recipe, cache: Path, smoke: bool) -> tuple[Faces, Faces]:
    if smoke:
        return smoke_faces(SMOKE_FACES, 0), smoke_faces(recipe.validation.faces, 1)
    faces = cached_faces(recipe.data.train, cache)
    _check_side(faces, recipe)
    return faces, cached_faces(recipe.data.validation, cache)


def _check_side(faces: Faces, recipe: Recipe) -> None:
    """Refuse faces that are smaller than the truth."""
    data, side = recipe.data, faces.images.shape[1]
    largest = max(data.hr_px, *(data.scale * size for size in data.sizes_px), 0)
    if side < largest:
        raise DataError(
            f"The faces of '{data.train}' have {side} px, and the recipe asks for truth of {largest} px: lower data.hr_px or "
            "data.sizes_px, or give larger faces."
        )


def _cached_bank(faces: Faces, recipe: Recipe, folder: Path, done: Done) -> Luma8:
    """Return the bank of these faces, from `folder` if it was made with the same settings before."""
    data = recipe.data
    settings = msgspec.json.encode((recipe.h264, data.hr_px, data.scale, recipe.seed))
    content = settings + np.ascontiguousarray(faces.images).tobytes()
    path = folder / f"h264-{hashlib.sha256(content).hexdigest()[:12]}.npy"
    if not path.exists():
        high = to_size(faces.images, data.hr_px)
        size = data.hr_px // data.scale
        count = WorkCount(done, {"H.264 faces": recipe.h264.passes * len(high)})
        write_array(path, make_bank(high, size, recipe.h264, recipe.seed, lambda n: count.add("H.264 faces", n)))
    bank: Luma8 = np.load(path, mmap_mode="r")
    return bank


def validation_sets(faces: Faces, recipe: Recipe) -> list[FaceSet]:
    """Return the fixed sets of the recipe's seeded choice of faces."""
    spec, data = recipe.validation, recipe.data
    chosen = subset(faces, spec.faces, spec.seed)
    return [build_set(kind, chosen, data.hr_px, data.scale, spec.seed) for kind in VALIDATED]
