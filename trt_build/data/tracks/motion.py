"""The motion of a face in a clip: affine maps and a slow bending, both zero at the reference frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trt_build.data.degradation import Random

Array = NDArray[np.float64]
_RATE = 25.0
_TURN_DEG, _ZOOM, _SWAY_PX = 5.0, 0.04, 1.0
_BEND = 0.045
"""Largest bending, as a share of the face's side."""
_MOST_STILL = 0.4
"""Share of faces that hardly move, which an encoder copies from frame to frame."""


@dataclass(frozen=True)
class Motion:
    """Motion of one face over a clip, in low-resolution pixels; zero at the reference."""

    shift: Array
    """(frames, 2): shift of the face's centre."""
    turn: Array
    """(frames,): rotation in radians."""
    zoom: Array
    """(frames,): relative size minus 1."""
    bend: Array | None
    """(modes, frames): amplitude of each mode of `fields`."""
    fields: NDArray[np.float32] | None
    """(modes, side, side, 2): displacement at each pixel of the truth, in its pixels."""
    gain: Array
    """(frames,): exposure."""

    def matrix(self, frame: int, side: int) -> Array:
        """Return the (2, 3) map from pixels of the truth (centres at whole numbers) to those of a frame at the same scale.

        Args:
            frame: index in the clip.
            side: of the truth in pixels.
        """
        centre = (side - 1) / 2
        turn, zoom = self.turn[frame], 1 + self.zoom[frame]
        linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        offset = centre - linear @ (centre, centre) + 4 * self.shift[frame]
        return np.column_stack([linear, offset])

    def bending(self, frame: int) -> NDArray[np.float32] | None:
        """Return (side, side, 2), the source of each pixel of the bent face relative to its position; None for a rigid face."""
        if self.bend is None or self.fields is None:
            return None
        return np.tensordot(self.bend[:, frame].astype(np.float32), self.fields, axes=1)


def draw_motion(rng: Random, frames: int, reference: int, side: int, room: float, *, bends: bool, exposed: bool) -> Motion:
    """Draw the motion of one face.

    Args:
        rng: makes the random choices.
        frames: number of frames in the clip.
        reference: index of the frame in which it is as in the truth.
        side: of the truth in pixels.
        room: longest shift in low-resolution pixels.
        bends: whether it turns and speaks a little.
        exposed: whether the exposure changes.
    """
    still = rng.random() < _MOST_STILL
    speed = 0.0 if still else rng.uniform(0, 1) ** 1.5 * max(0.0, room - _SWAY_PX)
    sway = rng.uniform(0, _SWAY_PX * (0.5 if still else 1.0))
    way = rng.uniform(0, 2 * np.pi)
    reach = max(reference, frames - 1 - reference)
    straight = np.outer((np.arange(frames) - reference) / reach, speed * np.array([np.cos(way), np.sin(way)]))
    wander = np.stack([slow(rng, frames, reference) for _ in range(2)], axis=1)
    lively = 0.3 if still else 1.0
    modes = [_turning(side), _speaking(rng, side)]
    return Motion(
        shift=straight + sway * wander,
        turn=np.deg2rad(_TURN_DEG) * lively * rng.uniform() ** 1.5 * slow(rng, frames, reference),
        zoom=_ZOOM * lively * rng.uniform() ** 1.5 * slow(rng, frames, reference),
        bend=_BEND * side * np.stack([rng.uniform() * slow(rng, frames, reference) for _ in modes]) if bends else None,
        fields=np.stack(modes) if bends else None,
        gain=1 + (0.1 * rng.uniform() * slow(rng, frames, reference) if exposed else np.zeros(frames)),
    )


def slow(rng: Random, frames: int, reference: int) -> Array:
    """Return a smooth function of time, (frames,), at most 1 in magnitude and 0 at the reference."""
    time = np.arange(frames) / _RATE
    course = rng.normal() * time + sum(
        rng.normal() * np.sin(2 * np.pi * (rng.uniform(0.2, 1.6) * time + rng.uniform())) for _ in range(2)
    )
    course = course - course[reference]
    return np.asarray(course / max(1e-9, np.abs(course).max()))


def _turning(side: int) -> NDArray[np.float32]:
    """Field of turning: the centre of the face moves sideways, its rim does not."""
    bump = np.cos(np.linspace(-np.pi / 2, np.pi / 2, side))
    field = np.zeros((side, side, 2), np.float32)
    field[..., 0] = np.outer(bump, bump)
    return field


def _speaking(rng: Random, side: int) -> NDArray[np.float32]:
    """Field of speaking: smooth and random, stronger in the lower half."""
    coarse = rng.uniform(-1, 1, (4, 4, 2)).astype(np.float32)
    field = np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
    return field * np.linspace(0.4, 1.0, side, dtype=np.float32)[:, None, None]
