"""What every detector offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.contracts.frames import Detections, Planes
from engine.contracts.profile import Profile


class Detector(Protocol):
    """Finds faces in pictures.

    ``detect`` may be called from several threads at once. A detector cannot cross a process: open one in each.
    """

    name: str
    """As ``yunet``, ``dlib-hog`` or ``scrfd:buffalo_l``."""
    model_sha256: str
    """Of the model file; empty where the detector needs none."""
    licence: str
    """Of the model's weights."""
    runtime: str
    """What computes it, with its version and precision."""
    profile: Profile
    """Pictures that are worth giving together; 1 is best where a longer call only repeats itself."""
    min_score: float
    """Faces below this score are not reported, 0 to 1. A detector that a second look was fitted to takes another one before
    its first picture."""
    sure_score: float
    """From this score on a face can stand alone, as the first of a track; what scores less continues one. At least
    ``min_score``."""

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        """Return the faces of each picture, in source pixels; pictures may differ in size.

        Raises:
            InferenceError: the model failed; a picture without faces gives empty Detections instead.
        """
        ...

    def close(self) -> None:
        """Free the model; ``detect`` must not be called after it."""
        ...
