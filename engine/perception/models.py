"""What perception looks at pictures with: opened and closed together."""

from __future__ import annotations

from collections.abc import Callable

from engine.config import Config
from engine.detect.judged import JudgedDetector, open_judged
from engine.models import find_model
from engine.perception.face_judge import FaceJudge
from engine.perception.perception import Models


class OpenModels:
    """The detector, the second look and the judge that a configuration asks for.

    Args:
        config: of the run.
        warn: is told once why faces cannot be compared.

    Raises:
        FacestreamError: see ``open_judged``.
    """

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        detector, second_look = open_judged(config.detect, find_model)
        self._judge = FaceJudge(warn)
        self.models = Models(detector, detector.limits if isinstance(detector, JudgedDetector) else None, self._judge)
        self.facts = {
            "detector": detector.name,
            "detector_sha256": detector.model_sha256,
            "detector_licence": detector.licence,
            "detector_runtime": detector.runtime,
            "detector_min_score": f"{detector.min_score:g}",
        } | ({} if second_look is None else second_look.facts())
        """What the record of the run says of them."""

    def close(self) -> None:
        """Free them."""
        self._judge.close()
        self.models.detector.close()
