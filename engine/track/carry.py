"""Faces on frames on which the detector does not run: where they were found last, moved by the motion vectors of the video.

Detected on every third frame and carried between, as many faces of rendered people are found on each frame as by detecting on
all of them, and their boxes lie as well (docs/results/tracking.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Float32, Frame, TrackedFace

_MOST_FRAMES = 6
"""So long after a detection faces are carried; with one on every fifth frame nothing is lost yet."""


@dataclass(slots=True)
class _Carried:
    face: TrackedFace
    step: tuple[float, float] = (0.0, 0.0)
    """How far it moved last, in pixels a frame: it goes on so over a key frame, which has no vectors."""


class Carrier:
    """Carries the faces of one stream."""

    def __init__(self) -> None:
        self._faces: list[_Carried] = []
        self._found_index = self._last_index = 0

    def found(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Begin with what was detected in a frame."""
        self._faces = [_Carried(face) for face in faces]
        self._found_index = self._last_index = frame.time.frame_index

    def forget(self) -> None:
        """What comes next does not continue what was before."""
        self._faces = []

    def carry(self, frame: Frame) -> list[TrackedFace]:
        """Return where the faces are in the next frame, in which nobody looked for them; those that have left it, and all where
        its video tells no motion or the decoder made up parts of it, are given up."""
        blocks, index = frame.planes.blocks, frame.time.frame_index
        passed, self._last_index = index - self._last_index, index
        if blocks is None or blocks.motion is None or frame.damaged or passed < 1 or index - self._found_index > _MOST_FRAMES:
            self.forget()
        kept = []
        for carried in self._faces:
            _move(carried, blocks, passed)
            if _is_within(carried.face.box, frame.planes.width_px, frame.planes.height_px):
                kept.append(carried)
        self._faces = kept
        return [carried.face for carried in kept]


def _move(carried: _Carried, blocks: BlockMap | None, frames: int) -> None:
    """Move a face by what the vectors under it say; frames that were dropped in between moved it as much."""
    face = carried.face
    if blocks is not None and (step := blocks.motion_under(face.box)) is not None:
        carried.step = step
    shift = np.array(carried.step, np.float32) * frames
    box = face.box.copy()
    box[:2] += shift
    carried.face = replace(face, box=box, landmarks=None if face.landmarks is None else face.landmarks + shift)


def _is_within(box: Float32, width_px: int, height_px: int) -> bool:
    """Whether the middle of a box is in the picture."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return bool(0 <= x < width_px and 0 <= y < height_px)
