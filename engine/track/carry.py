"""Faces in frames that the detector skips: their last boxes, moved by the video's motion vectors.

With detection on every third frame and carrying in between, as many faces of rendered people are found in each frame as with
detection on all frames, and their boxes are as accurate (docs/results/tracking.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Float32, Frame, TrackedFace

_MOST_FRAMES = 6
"""How long faces are carried after a detection; at one detection every fifth frame nothing is lost yet."""


@dataclass(slots=True)
class _Carried:
    face: TrackedFace
    step: tuple[float, float] = (0.0, 0.0)
    """Its last movement in pixels a frame: it continues so over a key frame, which has no vectors."""


class Carrier:
    """Carries the faces of one stream."""

    def __init__(self) -> None:
        self._faces: list[_Carried] = []
        self._found_index = self._last_index = 0

    def found(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Start from the faces detected in a frame."""
        self._faces = [_Carried(face) for face in faces]
        self._found_index = self._last_index = frame.time.frame_index

    def forget(self) -> None:
        """Forget all faces: the next frame does not continue the previous one."""
        self._faces = []

    def carry(self, frame: Frame) -> list[TrackedFace]:
        """Return the faces in the next frame, on which the detector does not run. A face that has left the picture is dropped;
        so are all if the video has no motion vectors or the decoder concealed part of the frame.
        """
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
    """Move a face by the motion vectors under it; frames dropped in between are taken to have moved it as much."""
    face = carried.face
    if blocks is not None and (step := blocks.motion_under(face.box)) is not None:
        carried.step = step
    shift = np.array(carried.step, np.float32) * frames
    box = face.box.copy()
    box[:2] += shift
    carried.face = replace(face, box=box, landmarks=None if face.landmarks is None else face.landmarks + shift)


def _is_within(box: Float32, width_px: int, height_px: int) -> bool:
    """Whether the centre of a box is in the picture."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return bool(0 <= x < width_px and 0 <= y < height_px)
