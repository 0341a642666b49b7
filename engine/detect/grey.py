"""Detectors of our own format: the decoder's luma plane goes in as it is, without any conversion.

One input ``luma``, uint8 (N, 1, H, W) with H and W multiples of 32, of full or video range; outputs ``score_S``, ``bbox_S`` and
``kps_S`` for S of 8, 16 and 32, each (N, cells, values) and decoded as YuNet's.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from engine.contracts.frames import Detections, Planes, Uint8
from engine.contracts.manifest import read_manifest
from engine.detect.nested import without_nested
from engine.detect.yunet_decode import STRIDES, decode, suppress
from engine.errors import ModelError
from engine.sessions.fastest import open_fastest
from engine.sessions.session import Session, SessionSpec
from engine.sessions.tensors import TensorSpec, listed

OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in STRIDES)
_MULTIPLE_OF = 32
_BUFFERS_PER_THREAD = 8
_HEIGHT_OVER_WIDTH = (0.6, 2.4)


class GreyDetector:
    """See ``Detector``."""

    def __init__(self, spec: SessionSpec, min_score: float | None = None) -> None:
        """Open a model by its manifest.

        Args:
            spec: of ``NAME.json`` beside the model; its figures ``min_score`` and ``sure_score`` are the default thresholds.
            min_score: smallest score to report, and to be sure of.

        Raises:
            ModelError: model or manifest is missing or corrupt, or not of this format.
            ConfigError: the runtime cannot compute in this precision here.
        """
        described = read_manifest(spec.path)
        if described.kind != "detector":
            raise ModelError(f"{spec.path} describes a {described.kind}, not a detector: choose another file")
        self.name = described.name
        self.licence = described.licence
        self.model_sha256 = described.sha256
        self.min_score = described.figures.get("min_score", 0.5) if min_score is None else min_score
        self.sure_score = described.figures.get("sure_score", self.min_score) if min_score is None else min_score
        self._session = _open(spec.of(described))
        self._output_names = [spec.name for spec in self._session.outputs]
        self.runtime = self._session.runtime
        self.profile = self._session.profile
        self._local = threading.local()

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        """See ``Detector.detect``; pictures of one size are computed together where that pays."""
        found: list[Detections] = [Detections.empty()] * len(pictures)
        by_size: dict[tuple[int, int], list[int]] = {}
        for number, picture in enumerate(pictures):
            by_size.setdefault(picture.y.shape, []).append(number)
        for size, numbers in by_size.items():
            step = self.profile.at(*size).best
            for at in range(0, len(numbers), step):
                some = numbers[at : at + step]
                for number, faces in zip(some, self._run([pictures[number].y for number in some]), strict=True):
                    found[number] = faces
        return found

    def close(self) -> None:
        """See ``Detector.close``."""
        self._session.close()
        self._local = threading.local()

    def _run(self, planes: list[Uint8]) -> list[Detections]:
        height, width = planes[0].shape
        tensor = self._buffer(max(len(planes), self.profile.smallest), height, width)
        for row, plane in enumerate(planes):
            tensor[row, 0, :height, :width] = plane
        outputs = dict(zip(self._output_names, self._session.run({"luma": tensor}), strict=True))
        decoded = (
            decode({name: output[row] for name, output in outputs.items()}, tensor.shape[3], self.min_score)
            for row in range(len(planes))
        )
        return [without_nested(suppress(face_shaped(faces))) for faces in decoded]

    def _buffer(self, count: int, height: int, width: int) -> Uint8:
        """Return this thread's input tensor for pictures of a size; what lies beyond the picture stays middle grey."""
        buffers: dict[tuple[int, int, int], Uint8] = self._local.__dict__.setdefault("buffers", {})
        buffer = buffers.get((count, height, width))
        if buffer is None:
            if len(buffers) == _BUFFERS_PER_THREAD:
                buffers.pop(next(iter(buffers)))
            padded = (-(-side // _MULTIPLE_OF) * _MULTIPLE_OF for side in (height, width))
            buffer = buffers[count, height, width] = np.full((count, 1, *padded), 128, np.uint8)
        return buffer


def face_shaped(faces: Detections) -> Detections:
    """Keep boxes of a face's shape.

    An edge that the network has never seen the like of can make it as sure as a face does, but its size goes astray then: boxes
    of faces are 1.2 to 1.6 times as high as wide, those were 4 to 13 times.
    """
    low, high = _HEIGHT_OVER_WIDTH
    shape = faces.boxes[:, 3] / np.maximum(faces.boxes[:, 2], 1e-3)
    kept = (shape >= low) & (shape <= high)
    return faces if kept.all() else faces.only(kept)


def _example(inputs: tuple[TensorSpec, ...]) -> dict[str, Uint8]:
    """Return a small picture, for the measurement of runtimes."""
    return {spec.name: np.random.default_rng(0).integers(0, 256, (1, 1, 384, 640)).astype(np.uint8) for spec in inputs}


def _open(spec: SessionSpec) -> Session:
    session = open_fastest(spec, _example)
    inputs, outputs = session.inputs, {spec.name for spec in session.outputs}
    if [spec.name for spec in inputs] != ["luma"] or inputs[0].dtype != np.uint8 or outputs != set(OUTPUTS):
        session.close()
        raise ModelError(
            f"{spec.title} is not a grey detector: found the inputs {listed(inputs)} and the outputs "
            f"{', '.join(sorted(outputs))}, expected luma uint8 Nx1xHxW and {', '.join(OUTPUTS)}"
        )
    return session
