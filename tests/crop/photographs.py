"""Faces of the photographs that come with the dependencies, as YuNet finds them, and frames to offer them in."""

from __future__ import annotations

from functools import cache

import numpy as np
from insightface.data import get_image
from skimage import data

from engine.contracts.frames import Frame, FrameTime, Planes, TrackedFace
from engine.pictures.colour import planes_from_bgr

FOUND: dict[str, list[list[float]]] = {
    "t1": [
        [466.1, 266.5, 102.1, 145.2, 488.3, 323.0, 540.1, 329.7, 507.2, 354.8, 484.0, 372.3, 529.0, 378.7],
        [748.7, 352.5, 98.7, 123.1, 766.6, 401.4, 809.3, 403.6, 776.5, 428.0, 768.6, 446.2, 805.7, 447.1],
        [1125.7, 272.7, 95.5, 123.9, 1142.9, 321.2, 1190.3, 320.0, 1160.8, 340.4, 1149.0, 363.3, 1190.0, 362.3],
        [906.5, 58.5, 99.2, 143.9, 921.0, 121.2, 946.4, 116.9, 920.6, 150.4, 934.7, 172.0, 959.2, 166.8],
        [60.9, 268.1, 106.9, 128.8, 86.6, 321.1, 137.5, 311.2, 117.7, 340.1, 100.9, 363.6, 146.3, 355.4],
        [267.1, 151.0, 105.1, 126.9, 282.8, 207.0, 322.4, 193.5, 299.5, 230.4, 306.9, 252.7, 338.2, 241.4],
    ],
    "astronaut": [[178.2, 62.9, 89.9, 113.3, 200.1, 101.8, 247.1, 102.6, 220.4, 124.5, 198.6, 142.8, 239.7, 143.6]],
}
"""Box and five landmarks of each face; the fourth of ``t1`` is nearly in profile."""

PROFILE = 3


@cache
def picture(name: str) -> np.ndarray:
    """(height, width, 3) uint8 BGR."""
    return get_image("t1") if name == "t1" else np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@cache
def planes_of(name: str) -> Planes:
    return planes_from_bgr(picture(name))


def face_of(name: str, index: int = 0, track_id: int = 1, score: float = 0.9) -> TrackedFace:
    values = np.array(FOUND[name][index], np.float32)
    return TrackedFace(track_id, values[:4], values[4:].reshape(5, 2), score)


def frame_of(planes: Planes, frame_index: int = 0, seconds: float = 0.0, stream: str = "cam1") -> Frame:
    return Frame(stream, FrameTime(frame_index, frame_index * 512, (1, 12800), seconds, 1_700_000_000_000_000_000), planes)
