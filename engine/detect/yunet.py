"""YuNet-format ONNX models on the project's own session.

Results equal OpenCV's FaceDetectorYN on the same picture, at about half its cost. Such models take one picture at a time, and a
larger batch was slower.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from msgspec.structs import replace

from engine.contracts.frames import Detections, Float32, Planes
from engine.contracts.manifest import sha256_of
from engine.contracts.profile import ONE
from engine.detect.nested import without_nested
from engine.detect.yunet_decode import OUTPUTS, decode, suppress
from engine.errors import InferenceError, ModelError
from engine.models.onnx_file import read_model
from engine.pictures.colour import bgr_from_planes
from engine.sessions.session import Session, SessionSpec, open_session
from engine.sessions.tensors import listed

_MULTIPLE_OF = 32
_BUFFERS_PER_THREAD = 8
DEFAULT_MIN_SCORE = 0.6


class YuNet:
    """See ``Detector``."""

    profile = ONE

    def __init__(self, spec: SessionSpec, min_score: float | None, name: str, licence: str) -> None:
        """Open a model.

        Args:
            spec: of the ONNX file: BGR input, 0 to 255; twelve outputs as in ``yunet_decode``.
            min_score: smallest score to report, 0.6 when None.
            name: what the detector is called.
            licence: of the weights.

        Raises:
            ModelError: the file is missing or corrupt, or not of this format.
            ConfigError: the runtime cannot compute in this precision here.
        """
        self.name = name
        self.licence = licence
        self.min_score = self.sure_score = DEFAULT_MIN_SCORE if min_score is None else min_score
        self._session = _open(spec)
        self._input = self._session.inputs[0].name
        self._output_names = [spec.name for spec in self._session.outputs]
        self.runtime = self._session.runtime
        self.model_sha256 = sha256_of(spec.path)
        self._local = threading.local()

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        return [self._detect_one(picture) for picture in pictures]

    def close(self) -> None:
        self._session.close()
        self._local = threading.local()

    def _detect_one(self, picture: Planes) -> Detections:
        tensor = self._buffer(picture.height_px, picture.width_px)
        for channel, plane in enumerate(cv2.split(bgr_from_planes(picture))):
            tensor[0, channel, : picture.height_px, : picture.width_px] = plane
        outputs = self._session.run({self._input: tensor})
        by_name = dict(zip(self._output_names, outputs, strict=True))
        return without_nested(suppress(decode(by_name, tensor.shape[3], self.min_score)))

    def _buffer(self, height_px: int, width_px: int) -> Float32:
        """Return this thread's input tensor for pictures of a size; what lies beyond the picture is 0 and stays so."""
        buffers: dict[tuple[int, int], Float32] = self._local.__dict__.setdefault("buffers", {})
        buffer = buffers.get((height_px, width_px))
        if buffer is None:
            if len(buffers) == _BUFFERS_PER_THREAD:
                buffers.pop(next(iter(buffers)))
            padded = (-(-side // _MULTIPLE_OF) * _MULTIPLE_OF for side in (height_px, width_px))
            buffer = buffers[height_px, width_px] = np.zeros((1, 3, *padded), np.float32)
        return buffer


def _open(spec: SessionSpec) -> Session:
    session = open_session(spec)
    shape = session.inputs[0].shape if len(session.inputs) == 1 else None
    found = [spec.name for spec in session.outputs]
    if shape is None or len(shape) != 4 or shape[1] not in (3, None) or set(found) != set(OUTPUTS):
        session.close()
        raise ModelError(
            f"{spec.title} is not a YuNet-format model: found the inputs {listed(session.inputs)} "
            f"and the outputs {', '.join(found)}, expected one 1x3xHxW input and the outputs {', '.join(OUTPUTS)}"
        )
    if shape[2] is None and shape[3] is None:
        return session
    session.close()
    session = open_session(replace(spec, model=with_free_size(spec.path), name=spec.title))
    _check_free_size(session, spec.title)
    return session


def with_free_size(path: Path) -> bytes:
    """Return the model with free height and width: the graph computes with any, only its declarations are fixed."""
    model = read_model(path, str(path))
    for axis, name in ((2, "height"), (3, "width")):
        _set_free(model.graph.input[0], axis, name)
    for output in model.graph.output:
        _set_free(output, 1, f"cells_{output.name}")
    del model.graph.value_info[:]
    content: bytes = model.SerializeToString()
    return content


def _set_free(value: Any, axis: int, name: str) -> None:
    side = value.type.tensor_type.shape.dim[axis]
    side.ClearField("dim_value")  # it has one or the other
    side.dim_param = name


def _check_free_size(session: Session, name: str) -> None:
    height, width = 64, 96
    try:
        outputs = session.run({session.inputs[0].name: np.zeros((1, 3, height, width), np.float32)})
    except InferenceError as error:
        session.close()
        raise ModelError(f"{name} works at one picture size only: export it with dynamic height and width ({error})") from error
    for spec, output in zip(session.outputs, outputs, strict=True):
        stride = int(spec.name.rpartition("_")[2])
        if output.shape[1] != (height // stride) * (width // stride):
            session.close()
            raise ModelError(f"{name} works at one picture size only: export it with dynamic height and width ({spec.name})")
