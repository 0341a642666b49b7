"""Where somebody was: the whole picture with a track's best face, and the face's box on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.archive.files import inside
from engine.archive.reader import FaceLine

PART = "scene"


@dataclass(frozen=True)
class Scene:
    """A picture, and whose place in it is marked."""

    line: FaceLine
    """Of the face that it was taken with."""
    file: Path
    """JPEG, at most 960 px wide and high."""
    box: tuple[float, float, float, float]
    """Left, top, width and height of the face, as shares of the picture's width and height: 0 to 1."""
    size: tuple[int, int]
    """Width and height of the picture that the face was cut from, in pixels: the scene is a smaller copy of it."""


def scene_of(directory: Path, faces: Iterable[FaceLine]) -> Scene | None:
    """Return the scene of the best of these faces that has one; None where none has, or its file is gone.

    Args:
        directory: of the run.
        faces: of one track.
    """
    for line in sorted((line for line in faces if PART in line.files), key=lambda line: -line.face.quality.score):
        path, face = inside(directory, line.files[PART]), line.face
        if path is not None and path.is_file() and face.width_px and face.height_px:
            return Scene(line, path, _share(face.box, face.width_px, face.height_px), (face.width_px, face.height_px))
    return None


def _share(box: tuple[float, float, float, float], width_px: int, height_px: int) -> tuple[float, float, float, float]:
    """Return a box as shares of a picture, without what of it lies outside."""
    x, y, width, height = box
    left, right = (min(max(at / width_px, 0.0), 1.0) for at in (x, x + width))
    top, bottom = (min(max(at / height_px, 0.0), 1.0) for at in (y, y + height))
    return left, top, right - left, bottom - top
