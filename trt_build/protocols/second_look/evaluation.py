"""Judges candidates that a network was not trained on."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.manifest import read_manifest
from engine.detect.grey import GreyDetector
from engine.detect.second_look import Agreement
from engine.sessions.session import SessionSpec
from trt_build.networks.second_look import SecondLook
from trt_build.protocols.detector.pictures import kept_apart
from trt_build.protocols.second_look.agreement import ASKED_FROM, fit, look_at
from trt_build.protocols.second_look.limits import Judged
from trt_build.recipes.detector import DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.second_look import SecondLookRecipe
from trt_build.systems.second_look.material import candidates_apart
from trt_build.systems.second_look.samples import plain_windows
from trt_build.systems.second_look.training import looked
from trt_build.work import Done


def judged_by(network: SecondLook, recipe: SecondLookRecipe, cache: Path, done: Done) -> tuple[Judged, Judged, float]:
    """Return the judged candidates of validation pictures and of the clips kept apart, and the detector's own threshold.

    Raises:
        DataError: material is missing.
        ModelError: the detector cannot be opened.
    """
    pictures, clips = (
        Judged.of(some, looked(network, plain_windows(some)[0])[0]) for some in candidates_apart(recipe, cache, done)
    )
    return pictures, clips, read_manifest(Path(recipe.candidates.detector)).figures.get("min_score", 0.5)


def agreement_of(network: SecondLook, recipe: SecondLookRecipe, cache: Path, done: Done) -> Agreement | None:
    """Return how a network and its recipe's detector decide together; None if the detector alone is as good.

    Raises:
        DataError: material is missing.
        ModelError: the detector cannot be opened.
    """
    material = read_recipe_of(DetectorRecipe, find_recipe(recipe.material)).material
    pictures = [truth for _, truth in kept_apart(material, cache, done)]
    detector = GreyDetector(SessionSpec(Path(recipe.candidates.detector), "onnxruntime"), ASKED_FROM)
    try:
        return fit(look_at(pictures, detector, network, done), detector.model_sha256)
    finally:
        detector.close()
