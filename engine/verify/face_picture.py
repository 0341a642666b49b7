"""The picture of a face that an embedder is given."""

from __future__ import annotations

from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Float32, Uint8
from engine.verify.align import usable


def face_in(crop: FaceCrop, picture: Uint8, scale: int) -> tuple[Uint8, Float32 | None]:
    """Return what the embedder is given of a crop: the picture and its landmarks, or the face box alone if there are no
    landmarks.

    Args:
        crop: where the face is.
        picture: the crop enlarged ``scale`` times.
        scale: 1 for the original.
    """
    landmarks = crop.landmarks_in_crop(scale)
    if usable(landmarks):
        return picture, landmarks
    left, top = ((crop.box[axis] - crop.crop_box[axis]) * scale for axis in (0, 1))
    columns = slice(max(0, round(left)), max(0, round(left + crop.box[2] * scale)))
    rows = slice(max(0, round(top)), max(0, round(top + crop.box[3] * scale)))
    face = picture[rows, columns]
    return (face if face.size else picture), None
