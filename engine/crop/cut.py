"""Cut one face with its margin out of a frame, at its native scale."""

from __future__ import annotations

import math

import numpy as np

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Frame, Planes, TrackedFace


def cut_face(frame: Frame, face: TrackedFace, quality: Quality, margin: float, *, live: bool = False) -> FaceCrop | None:
    """Return the face with ``margin`` times its box added on each side, or None when nothing of the face is in the picture.

    The crop grows outwards to even coordinates, so that each chroma sample keeps its four luma pixels, and is clipped at the
    picture's border: every pixel of it was seen by the camera, none is made up. Only a picture of odd width or height gives
    a crop of odd width or height. The pixels are a copy and outlive the frame.

    Args:
        frame: the picture.
        face: its box may reach over the border.
        quality: of this face.
        margin: share of the box's width (left, right) and height (top, bottom).
        live: the frame comes from a camera.
    """
    planes = frame.planes
    x, y, width, height = (float(value) for value in face.box)
    columns = _span(x, width, margin, planes.width_px)
    rows = _span(y, height, margin, planes.height_px)
    if columns is None or rows is None:
        return None
    (left, right), (top, bottom) = columns, rows
    chroma = np.s_[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2]
    return FaceCrop(
        stream=frame.stream,
        track_id=face.track_id,
        time=frame.time,
        box=(x, y, width, height),
        landmarks=_points(face),
        detection_score=float(face.score),
        quality=quality,
        crop_box=(left, top, right - left, bottom - top),
        live=live,
        width_px=planes.width_px,
        height_px=planes.height_px,
        planes=Planes(
            planes.y[top:bottom, left:right].copy(),
            planes.u[chroma].copy(),
            planes.v[chroma].copy(),
            planes.matrix,
            planes.full_range,
        ),
    )


def _span(start: float, length: float, margin: float, limit_px: int) -> tuple[int, int] | None:
    """Return first and one past last pixel of the crop along one axis; None where the face itself lies outside."""
    end = start + length
    if not (math.isfinite(start) and math.isfinite(end) and length > 0 and end > 0 and start < limit_px):
        return None
    first = math.floor(start - margin * length) // 2 * 2
    last = -(-math.ceil(end + margin * length) // 2) * 2
    return max(0, first), min(limit_px, last)


def _points(face: TrackedFace) -> list[tuple[float, float]] | None:
    if face.landmarks is None or not np.isfinite(face.landmarks).all():
        return None
    return [(x, y) for x, y in face.landmarks.tolist()]
