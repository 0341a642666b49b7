"""Training and validation candidates: from real pictures, from clips, and from scenes like the detector's training data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from engine.detect.grey import GreyDetector
from engine.sessions.session import SessionSpec
from trt_build.array_files import write_arrays
from trt_build.data.scenes.clips import labelled_clips
from trt_build.data.scenes.compose import make_scene
from trt_build.data.scenes.hard import Hard
from trt_build.data.scenes.material import Material, prepare
from trt_build.data.scenes.packed import packed, unpacked
from trt_build.data.scenes.pictures import both_sides
from trt_build.data.scenes.teacher import Labelled, Teacher
from trt_build.recipes.detector import ClipsSpec, DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.second_look import SecondLookRecipe
from trt_build.systems.second_look.candidates import Candidates, collect
from trt_build.work import Done


def training_candidates(recipe: SecondLookRecipe, cache: Path, done: Done) -> list[Candidates]:
    """Return the training candidates from pictures, frames and scenes; slow results are cached in ``cache``.

    Raises:
        DataError: a source is missing or cannot be read.
        ModelError: the detector cannot be opened.
    """
    detector_recipe = read_recipe_of(DetectorRecipe, find_recipe(recipe.material))
    learnt, _ = pictures_of(detector_recipe, cache, done)
    bare = msgspec.structs.replace(detector_recipe.material, pictures="", negatives="", clips=ClipsSpec())
    material, _ = prepare(bare, cache, done)
    material = replace(
        material,
        pictures=[one for one in learnt if not one.is_empty],
        negatives=[one for one in learnt if one.is_empty],
    )
    teacher = Teacher(Path(detector_recipe.material.teacher))
    frames = [*labelled_clips(detector_recipe.material.clips, teacher, cache, done, apart=False), *material.frames]
    made, scenes = _scenes(detector_recipe, recipe, material, teacher, cache, done)
    parts = (("pictures", learnt, recipe.candidates.scales), ("frames", frames, (0.6, 1.0)), (made, scenes, (1.0,)))
    return _collected(parts, recipe, cache, done)


def candidates_apart(recipe: SecondLookRecipe, cache: Path, done: Done) -> tuple[Candidates, Candidates]:
    """Return the candidates of validation pictures, and of the clips kept apart, which are only reported.

    Raises:
        DataError: a source is missing or cannot be read.
        ModelError: the detector cannot be opened.
    """
    detector_recipe = read_recipe_of(DetectorRecipe, find_recipe(recipe.material))
    _, apart = pictures_of(detector_recipe, cache, done)
    teacher = Teacher(Path(detector_recipe.material.teacher))
    frames = labelled_clips(detector_recipe.material.clips, teacher, cache, done, apart=True)
    parts = (("validation", apart, recipe.candidates.validation_scales), ("clips", frames, (1.0,)))
    pictures, clips = _collected(parts, recipe, cache, done)
    return pictures, clips


def _collected(
    parts: Sequence[tuple[str, Sequence[Labelled], tuple[float, ...]]], recipe: SecondLookRecipe, cache: Path, done: Done
) -> list[Candidates]:
    detector = GreyDetector(SessionSpec(Path(recipe.candidates.detector), "onnxruntime"), recipe.candidates.min_score)
    try:
        return [collect(some, detector, scales, name, cache, done) for name, some, scales in parts]
    finally:
        detector.close()


def pictures_of(detector_recipe: DetectorRecipe, cache: Path, done: Done) -> tuple[list[Labelled], list[Labelled]]:
    """Return the real pictures for training, and those that the detector's recipe keeps apart."""
    material = detector_recipe.material
    learnt: list[Labelled] = []
    apart: list[Labelled] = []
    for archive in (material.pictures, material.negatives):
        for side, some in zip((learnt, apart), both_sides(archive, material, cache, done), strict=True):
            side.extend(one.labelled for one in some)
    return learnt, apart


def _scenes(
    detector_recipe: DetectorRecipe,
    recipe: SecondLookRecipe,
    material: Material,
    teacher: Teacher,
    cache: Path,
    done: Done,
) -> tuple[str, list[Labelled]]:
    """Return scenes like the detector's training data, with more overlays, and a name that changes with them.

    None is from a clip: the clips' frames give candidates themselves.
    """
    spec = msgspec.structs.replace(detector_recipe.scene, overlays=recipe.candidates.overlays)
    count = recipe.candidates.scenes
    labels = [(len(one.boxes), len(one.unsure)) for one in material.pictures]
    key = hashlib.sha256(f"{spec}:{count}:{recipe.seed}:{labels}".encode()).hexdigest()[:12]
    name = f"scenes-{key}"
    path = cache / f"{name}.npz"
    if not path.exists():
        scenes = []
        for number in range(count):
            scene = make_scene(material, Hard(), spec, np.random.default_rng((recipe.seed, number)), teacher)
            scenes.append(Labelled(np.asarray(scene.image, np.uint8), scene.boxes, scene.points, scene.ignored))
            done("scenes", number + 1, count)
        write_arrays(path, packed(scenes))
    with np.load(path) as stored:
        return name, list(unpacked(stored))
