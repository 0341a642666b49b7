"""What a checkpoint says of candidates that it has not learnt from."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.manifest import read_manifest
from trt_build.second_look.limits import Judged
from trt_build.second_look.material import candidates
from trt_build.second_look.samples import plain_windows
from trt_build.second_look.training import faceness_of, load_second_look
from trt_build.work import Done


def judged_by(checkpoint: Path, cache: Path, done: Done) -> tuple[Judged, Judged, float]:
    """Return the candidates of validation pictures and of the clips kept apart, and the detector's own threshold.

    Raises:
        TrainingError: the checkpoint cannot be read.
        DataError: material is missing.
        ModelError: the detector cannot be opened.
    """
    network, recipe = load_second_look(checkpoint)
    sides = candidates(recipe, cache, done)
    (pictures,) = sides.validation
    judged = [Judged.of(some, faceness_of(network, plain_windows(some))) for some in (pictures, sides.clips)]
    return judged[0], judged[1], read_manifest(Path(recipe.candidates.detector)).figures.get("min_score", 0.5)
