"""Compares the faces of a stream's tracks, with dlib's network adapted to small faces whatever ``verify.embedder`` is.

Its cosines were measured on 64 rendered clips of people of LFW's training part (H.264, faces of 12 to 48 px, detected by
YuNet), of a face with the mean of up to three earlier ones of the same clip, by the width of the face:

    width                               below 18 px   18 to 28 px   from 28 px
    same person, 5 and 50 %              .933, .964    .935, .963   .953, .980
    another photograph of it, median          .915          .913         .926
    somebody else, 50, 95 and 99 %  .85, .91, .92  .84, .90, .90  .83, .89, .91

and on real footage, with no truth but that two faces of one frame are two people: signers like the rendered ones (5 % .94), in
CCTV that was compressed twice the same track .90 (5 %) and .96, two people .91 and .96 (95 %). There a face says little, so a
track is only split where its person is hardly possible.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Float32, Frame, FrameTime, Planes, TrackedFace
from engine.crop.cut import cut_face
from engine.errors import DeviceLostError, FacestreamError, InferenceError, MissingRuntimeError
from engine.models import find_model
from engine.models.dlib_embedder import NAME, SMALL
from engine.pictures.colour import bgr_from_planes
from engine.sessions.session import SessionSpec
from engine.track.judge import Limits
from engine.verify.face_picture import face_in
from engine.verify.onnx_embedder import OnnxEmbedder

_LEAST_PX = 10.0
"""Narrower faces say nothing."""
_SMALL_PX = 20.0
_LIMITS = Limits(different=0.80, even=0.91, same=0.93)
_LIMITS_SMALL = Limits(different=0.80, even=0.92, same=0.94)
_MARGIN = 0.4
_UNRATED = Quality(size_px=0.0, sharpness=0.0, frontal=0.0, score=0.0)
_NOW = FrameTime(0, None, (1, 1), 0.0, 0)


class FaceJudge:
    """See ``engine.track.judge.Judge``. Opens its embedder at the first question, as most footage has none.

    Args:
        on_failure: is told once why faces cannot be compared; tracks are then what the tracker takes for one. Where only some
            faces fail, the others are.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._embedder: OnnxEmbedder | None = None
        self._has_failed = self._has_warned = False
        self._on_failure = on_failure

    def look(self, planes: Planes, box: Float32, landmarks: Float32 | None) -> FaceCrop | None:
        """See ``Judge.look``: a copy of the face with its margin; without landmarks, or tiny, faces are not compared."""
        if landmarks is None or box[2] < _LEAST_PX:
            return None
        return cut_face(Frame("", _NOW, planes), TrackedFace(0, box, landmarks, 0.0), _UNRATED, _MARGIN)

    def vector(self, look: FaceCrop) -> Float32 | None:
        """See ``Judge.vector``."""
        if self._has_failed:
            return None
        picture, landmarks = face_in(look, bgr_from_planes(look.planes), 1)
        try:
            self._embedder = self._embedder or _open()
            return np.asarray(self._embedder.embed([picture], [landmarks])[0], np.float32)
        except DeviceLostError:
            raise
        except InferenceError as error:  # this face; the next may do
            if not self._has_warned:
                self._has_warned = True
                self._on_failure(f"a face of a track is not compared: {error}")
        except FacestreamError as error:
            self._has_failed = True
            self._on_failure(f"faces of one track are not compared: {error}")
        return None

    def limits(self, width_px: float) -> Limits:
        """See ``Judge.limits``."""
        return _LIMITS_SMALL if width_px < _SMALL_PX else _LIMITS

    def close(self) -> None:
        """Free the embedder."""
        if self._embedder is not None:
            self._embedder.close()


def _open() -> OnnxEmbedder:
    manifest = find_model(NAME)
    if manifest is None:
        raise MissingRuntimeError(f"there is no embedder {NAME} here")
    return OnnxEmbedder(SessionSpec(manifest.with_name(f"{SMALL}.json")))
