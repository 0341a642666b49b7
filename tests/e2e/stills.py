"""A clip of stills, cut every second: everybody's face stands where the one before stood."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from engine.contracts.frames import Uint8
from engine.pictures.x264 import repeatable_x264
from engine.sample.people import PEOPLE, Person, photographs

WIDTH, HEIGHT, FPS = 480, 360, 25
FACE_PX = 64


def render_stills(path: Path) -> list[str]:
    """Write the clip; return who is shown in each second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "24", "threads": "1", **repeatable_x264()}
        for person in PEOPLE:
            picture = _portrait(person)
            for _ in range(FPS):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return [person.name for person in PEOPLE]


def _portrait(person: Person) -> Uint8:
    """Return the person alone, with the face in the middle, and nothing beside the cut-out."""
    left, top, width, height = person.enrolment_crop
    crop = photographs()[person.photograph][top : top + height, left : left + width]
    scale = FACE_PX / person.box[2]
    x, y = person.box[0] + person.box[2] / 2 - left, person.box[1] + person.box[3] / 2 - top
    matrix = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(crop, matrix, (WIDTH, HEIGHT), flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)
