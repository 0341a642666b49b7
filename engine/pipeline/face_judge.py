"""Compares the faces of a stream's tracks, with the embedder that the thresholds here were measured for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.config import VerifyConfig
from engine.contracts.frames import Float32, Frame, FrameTime, Planes, TrackedFace
from engine.contracts.links import FaceCrop
from engine.contracts.messages import Quality
from engine.crop.cut import cut_face
from engine.errors import FacestreamError
from engine.models import find_model
from engine.models.dlib_embedder import NAME
from engine.runtime.colour import bgr_from_planes
from engine.track.persons import Limits
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.verifier import face_in

_MARGIN = 0.4
_UNRATED = Quality(size_px=0.0, sharpness=0.0, frontal=0.0, score=0.0)
_NOW = FrameTime(0, None, (1, 1), 0.0, 0)


class FaceJudge:
    """See ``engine.track.persons.Judge``. Opens its embedder at the first question, as most footage has none.

    Args:
        on_failure: is told once why faces cannot be compared; tracks are then what the tracker takes for one.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._embedder: Embedder | None = None
        self._has_failed = False
        self._on_failure = on_failure

    def look(self, planes: Planes, box: Float32, landmarks: Float32 | None) -> FaceCrop | None:
        """See ``Judge.look``: a copy of the face with its margin; without landmarks faces are not compared."""
        if landmarks is None:
            return None
        return cut_face(Frame("", _NOW, planes), TrackedFace(0, box, landmarks, 0.0), _UNRATED, _MARGIN)

    def vector(self, look: FaceCrop) -> Float32 | None:
        """See ``Judge.vector``."""
        if self._has_failed:
            return None
        picture, landmarks = face_in(look, bgr_from_planes(look.planes), 1)
        try:
            self._embedder = self._embedder or open_embedder(VerifyConfig(embedder=NAME), find_model)
            assert self._embedder is not None
            return np.asarray(self._embedder.embed([picture], [landmarks])[0], np.float32)
        except FacestreamError as error:
            self._has_failed = True
            self._on_failure(f"faces of one track are not compared: {error}")
            return None

    def limits(self, width_px: float) -> Limits:
        """See ``Judge.limits``."""
        return Limits(0.90, 0.93, 0.95)

    def close(self) -> None:
        """Free the embedder."""
        if self._embedder is not None:
            self._embedder.close()
