"""dlib's face ResNet for the identity protocol: chips, embeddings, and a cache on disk.

The chip of a face is cut by five landmarks that are found once, on the *sharp* face, and used for
every row of the protocol. So the rows differ by the picture alone, not by how well a landmark
detector copes with it. The weights come with the package `face_recognition_models`, which is
located without being imported (it needs pkg_resources).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_resnet import INPUT, build_dlib_resnet
from engine.models.dlib_weights import read_dlib_weights
from engine.sessions.session import SessionSpec, open_session
from trt_build.errors import DataError
from trt_build.measures.metrics import Luma8
from trt_build.writing import make_folder

CHIP_PX = 150
PADDING = 0.25
Embedding = NDArray[np.float32]
Matrix = NDArray[np.float64]


class ChipFinder:
    """Finds the chip in a sharp face by dlib's five landmarks within a fixed central box."""

    def __init__(self) -> None:
        import dlib

        self._dlib = dlib
        file = packaged_weights().with_name("shape_predictor_5_face_landmarks.dat")
        self._predictor = dlib.shape_predictor(str(file))

    def matrix(self, sharp: Luma8, box_share: float = 0.75) -> Matrix:
        """Return the (2, 3) map from chip pixels to pixels of `sharp` (S, S); whole numbers are pixel centres."""
        side = sharp.shape[0]
        low, high = (round(side * (0.5 + s * box_share / 2)) for s in (-1, 1))
        box = self._dlib.rectangle(low, low, high, high)
        shape = self._predictor(cv2.cvtColor(sharp, cv2.COLOR_GRAY2RGB), box)
        detail = self._dlib.get_face_chip_details(shape, CHIP_PX, PADDING)
        rectangle, angle = detail.rect, detail.angle
        step = rectangle.width() / CHIP_PX
        cosine, sine = step * np.cos(angle), step * np.sin(angle)
        centre = rectangle.dcenter()
        middle = (CHIP_PX - 1) / 2
        turn = np.array([[cosine, -sine], [sine, cosine]])
        shift = np.array([centre.x, centre.y]) - turn @ np.array([middle, middle])
        return np.hstack([turn, shift[:, None]])


def cut_chip(face: Luma8, matrix: Matrix, sharp_px: int) -> Luma8:
    """The 150-px chip of `face` (s, s), by OpenCV bicubic; `matrix` is for (sharp_px, sharp_px)."""
    ratio = face.shape[0] / sharp_px
    scaled = matrix * ratio
    scaled[:, 2] += (ratio - 1) / 2
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    chip = cv2.warpAffine(face, scaled, (CHIP_PX, CHIP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, dtype=np.uint8)


class Embedder:
    """Turns chips into 128-vectors; each is stored at once in a small database by the SHA-256 of its chip."""

    def __init__(self, cache: Path) -> None:
        """Open the database, creating its folder.

        Raises:
            DataError: it cannot be written, or is another kind of file.
        """
        make_folder(cache)
        file = cache / "dlib-embeddings.sqlite"
        try:
            self._store = sqlite3.connect(file, timeout=60, isolation_level=None)
            self._store.execute("PRAGMA journal_mode=WAL")
            self._store.execute("CREATE TABLE IF NOT EXISTS face_float32 (key TEXT PRIMARY KEY, vector BLOB)")
        except sqlite3.Error as error:
            raise DataError(
                f"The face vectors in '{file}' cannot be read or written ({error}): give another --cache."
            ) from None
        self._session = open_session(
            SessionSpec(build_dlib_resnet(read_dlib_weights(packaged_weights())), name="dlib's network")
        )

    def __call__(self, chips: Luma8, done: Callable[[], None] | None = None) -> Embedding:
        """uint8 (N, 150, 150) -> float32 (N, 128)."""
        vectors = []
        for chip in chips:
            vectors.append(self._one(chip))
            if done is not None:
                done()
        return np.stack(vectors)

    def _one(self, chip: Luma8) -> Embedding:
        key = hashlib.sha256(np.ascontiguousarray(chip).tobytes()).hexdigest()
        row = self._store.execute("SELECT vector FROM face_float32 WHERE key = ?", (key,)).fetchone()
        if row is not None:
            return np.frombuffer(row[0], dtype=np.float32)
        tensor = np.ascontiguousarray(np.broadcast_to(chip, (1, 3, *chip.shape)), np.float32)
        vector = np.asarray(self._session.run({INPUT: tensor})[0][0], np.float32)
        self._store.execute("INSERT OR REPLACE INTO face_float32 VALUES (?, ?)", (key, vector.tobytes()))
        return vector

    def close(self) -> None:
        """Close the database; every vector is already in it."""
        self._session.close()
        self._store.close()
