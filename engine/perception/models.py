"""What perception looks at pictures with: opened and closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.config import Config
from engine.contracts.orders import Warned
from engine.detect.judged import open_judged
from engine.models import find_model
from engine.perception.face_judge import FaceJudge
from engine.perception.perception import Models, Perception
from engine.perception.track_ids import TrackIds
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls


class OpenModels:
    """The detector, the second look and the judge that a configuration asks for.

    Args:
        config: of the run.
        warn: is told what goes wrong and ends nothing.

    Raises:
        FacestreamError: see ``open_judged``.
    """

    def __init__(self, config: Config, warn: Callable[[Warned], None]) -> None:
        self._config, self._warn = config, warn
        detector, second_look = open_judged(config.detect, find_model)
        self._judge = FaceJudge(lambda sentence: warn(Warned("", sentence)))
        self.models = Models(detector, detector.limits, self._judge)
        self.facts = {
            "detector": detector.name,
            "detector_sha256": detector.model_sha256,
            "detector_licence": detector.licence,
            "detector_runtime": detector.runtime,
            "detector_min_score": f"{detector.min_score:g}",
        } | ({} if second_look is None else second_look.facts())
        """What the record of the run says of them."""

    def core(self, telemetry: Telemetry, ids: TrackIds | None = None, rejected: Mapping[str, int] | None = None) -> Perception:
        """Return a core that looks at pictures with them; for the arguments see ``Perception``."""

        def warn(stream: str, sentence: str) -> None:
            self._warn(Warned(stream, sentence))

        calls = ModelCalls(telemetry.counts, warn)
        return Perception(self._config, self.models, calls, telemetry, ids, rejected, warn)

    def close(self) -> None:
        """Free them."""
        self._judge.close()
        self.models.detector.close()
