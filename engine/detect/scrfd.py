"""SCRFD (Guo et al. 2021) from a local InsightFace pack, run by insightface's own model zoo on the CPU. Never downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.contracts.frames import Detections, Planes
from engine.contracts.manifest import sha256_of
from engine.contracts.profile import ONE
from engine.detect.nested import without_nested
from engine.errors import InferenceError, MissingRuntimeError, ModelError
from engine.pictures.colour import bgr_from_planes

DEFAULT_MIN_SCORE = 0.5
_MULTIPLE_OF = 32
PACKS = Path("~/.insightface/models")
"""Where insightface keeps its packs."""


class Scrfd:
    """See ``Detector``.

    A picture is detected at its own size where the model's input is free, otherwise scaled into the model's input.
    """

    licence = "InsightFace: weights for non-commercial research only, unless the pack says otherwise"
    profile = ONE

    def __init__(self, pack: str, min_score: float | None) -> None:
        """Open the detector of a pack.

        Args:
            pack: the name of a pack, as ``buffalo_l``, or the path of a pack's directory.
            min_score: smallest score to report, 0.5 when None.

        Raises:
            ModelError: the pack is not there, or holds no SCRFD model that can be loaded.
            MissingRuntimeError: insightface is not installed.
        """
        path, self._model = _open(_pack_directory(pack))
        self.name = f"scrfd:{Path(pack).name}"
        self.min_score = self.sure_score = DEFAULT_MIN_SCORE if min_score is None else min_score
        self.model_sha256 = sha256_of(path)
        self.runtime = f"insightface {_insightface_version()}, onnxruntime CPUExecutionProvider float32"

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        return [self._detect_one(picture) for picture in pictures]

    def close(self) -> None:
        self._model = None

    def _detect_one(self, picture: Planes) -> Detections:
        right, below = (-side % _MULTIPLE_OF for side in (picture.width_px, picture.height_px))
        # Padded here: the zoo would enlarge the picture until it touches the next multiple.
        image = cv2.copyMakeBorder(bgr_from_planes(picture), 0, below, 0, right, cv2.BORDER_CONSTANT)
        size = (image.shape[1], image.shape[0])
        try:
            found, points = self._model.detect(image, input_size=size, det_thresh=self.min_score)
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise InferenceError(f"{self.name} failed on {picture!r}: {error}") from error
        boxes = np.column_stack([found[:, :2], found[:, 2:4] - found[:, :2]]).astype(np.float32)
        if points is None:
            points = np.full((len(found), 5, 2), np.nan)
        return without_nested(Detections(boxes, found[:, 4].astype(np.float32), np.asarray(points, np.float32)))


def _pack_directory(pack: str) -> Path:
    """Return the directory of a pack.

    Raises:
        ModelError: it is not there; the message says where it was looked for and how to get it.
    """
    given = Path(pack).expanduser()
    path = given if given.is_absolute() else PACKS.expanduser() / pack
    if not path.is_dir():
        raise ModelError(
            f"there is no InsightFace pack {pack!r} in {path}: fetch it with InsightFace "
            f"(`insightface-cli model.download {given.name}`) and unpack it there"
        )
    return path


def _open(directory: Path) -> tuple[Path, Any]:
    """Return the first file of a pack that the zoo takes for a detector, and the zoo's model."""
    try:
        import onnxruntime
        from insightface.model_zoo import get_model
    except ImportError as error:
        raise MissingRuntimeError(
            f"scrfd:PACK needs insightface, which is not installed: pip install 'facestream[insightface]' ({error})"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    files = sorted(directory.glob("*.onnx"), key=lambda file: (not file.name.startswith(("det", "scrfd")), file.name))
    for file in files:
        try:
            model = get_model(
                str(file), providers=["CPUExecutionProvider"], sess_options=options, static_shape_sessions=False, download=False
            )
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            raise ModelError(f"{file} cannot be loaded by insightface: {error}") from error
        if getattr(model, "taskname", "") == "detection":
            return file, model
    held = ", ".join(file.name for file in files) or "no ONNX file"
    raise ModelError(f"the InsightFace pack {directory} holds {held}, and none is an SCRFD detector")


def _insightface_version() -> str:
    import insightface

    return str(insightface.__version__)
