"""Face recognisers that use the same chip of a face at every size, so that rows differ only by the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.models.dlib_embedder import CHIP_POINTS
from engine.sessions.session import SessionSpec
from engine.verify.onnx_embedder import OnnxEmbedder
from trt_build.data.dlib_faces import ChipFinder, Embedder, Matrix, cut_chip
from trt_build.measures.verification import unit
from trt_build.optional import require

Advance = Callable[[int], None]
"""Called with the number of newly embedded faces."""


class Recogniser(Protocol):
    """Turns the N faces that it was created for, at any size, into vectors."""

    name: str

    def vectors(self, faces: Uint8, advance: Advance) -> Float32:
        """Return vectors of length 1, (N, s, s) luma -> (N, D), in the order of the faces."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def find_places(sharp: Uint8) -> list[Matrix]:
    """Return where dlib's chip lies in each sharp face, (2, 3) from chip pixels to pixels of ``sharp`` (N, S, S).

    Raises:
        MissingRuntimeError: dlib is not installed.
    """
    require("dlib", "Finding landmarks")
    finder = ChipFinder()
    return [finder.matrix(face) for face in sharp]


class DlibRecogniser:
    """dlib's ResNet; vectors are cached on disk by chip, so that baselines are embedded once for all runs.

    Args:
        places: from ``find_places``.
        sharp_px: side of the pictures in which they were found.
        cache: folder of the vectors.
    """

    name = "dlib"

    def __init__(self, places: Sequence[Matrix], sharp_px: int, cache: Path) -> None:
        self._places, self._sharp_px = places, sharp_px
        self._embedder = Embedder(cache)

    def vectors(self, faces: Uint8, advance: Advance) -> Float32:
        chips = [cut_chip(face, place, self._sharp_px) for face, place in zip(faces, self._places, strict=True)]
        found = self._embedder(np.stack(chips), lambda: advance(1))
        return unit(found)

    def close(self) -> None:
        self._embedder.close()


class OnnxRecogniser:
    """Any embedder that the engine opens, such as an ArcFace model, aligned by the landmarks of dlib's chip.

    Args:
        path: of the ONNX file or its manifest.
        places: from ``find_places``.
        sharp_px: side of the pictures in which they were found.

    Raises:
        ModelError: the file is missing, or not an embedder.
    """

    def __init__(self, path: Path, places: Sequence[Matrix], sharp_px: int) -> None:
        self._embedder = OnnxEmbedder(SessionSpec(path))
        self.name = self._embedder.name
        self._sharp_px = sharp_px
        points = np.array(CHIP_POINTS)
        self._landmarks = [points @ place[:, :2].T + place[:, 2] for place in places]

    def vectors(self, faces: Uint8, advance: Advance) -> Float32:
        ratio = faces.shape[1] / self._sharp_px
        found = []
        for face, points in zip(faces, self._landmarks, strict=True):
            placed = np.asarray((points + 0.5) * ratio - 0.5, np.float32)
            found.append(self._embedder.embed([np.asarray(cv2.cvtColor(face, cv2.COLOR_GRAY2BGR), np.uint8)], [placed])[0])
            advance(1)
        return unit(np.stack(found))

    def close(self) -> None:
        self._embedder.close()
