"""Small pictures of what a camera shows now, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from engine.contracts.frames import Frame, TrackedFace, Uint8
from engine.contracts.tap import Preview, PreviewBox
from engine.crop.scene import reduced
from engine.pictures.colour import bgr_from_planes
from engine.pictures.encode import encode_picture
from engine.pictures.veil import hide

LONGEST_PX = 480
_JPEG_QUALITY = 75


def preview_of(
    frame: Frame, faces: Sequence[TrackedFace], accepted: Collection[int], veil: Callable[[Uint8], Uint8] | None = None
) -> tuple[Preview, bytes]:
    """Return a frame with the faces on it, and its picture as a JPEG of ``LONGEST_PX`` at most.

    Args:
        frame: its pixels are read and not kept.
        faces: of this frame.
        accepted: track ids of those that are taken for faces.
        veil: makes of (height, width, 3) BGR a picture of the same size in which nobody can be recognised: of each face with
            its surroundings, also of those that may be none; None: faces are shown.
    """
    boxes = [_box(face, face.track_id in accepted) for face in faces]
    planes, time = frame.planes, frame.time
    preview = Preview(frame.stream, time.frame_index, time.captured_ns, planes.width_px, planes.height_px, boxes)
    picture = bgr_from_planes(reduced(planes, LONGEST_PX))
    if veil is not None:
        across, down = picture.shape[1] / planes.width_px, picture.shape[0] / planes.height_px
        hide(picture, [(box.x * across, box.y * down, box.width * across, box.height * down) for box in boxes], veil)
    return preview, encode_picture(picture, quality=_JPEG_QUALITY)


def _box(face: TrackedFace, accepted: bool) -> PreviewBox:
    x, y, width, height = (round(value, 1) for value in face.box.tolist())
    return PreviewBox(face.track_id, x, y, width, height, round(face.score, 3), accepted)
