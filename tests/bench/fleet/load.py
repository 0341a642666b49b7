"""What cameras ask of a node's cores, minute by minute, drawn from what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.fleet.measured import Kind, Measured

DETECTIONS_PER_SECOND = 10.0
"""``live.detect_fps`` as by default."""
HELD_SHARE = 0.45
"""Of the cores, over the CPU time of the stages alone: where drops begin (docs/results/cameras.md: 5 of 11.0 streams)."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Demand:
    """Of cores, in the mean over a minute."""

    base: Floats
    """(cameras,): decoding, looking and following: what goes on without a face."""
    faces: Floats
    """(cameras,): what the faces cost."""


class Load:
    """Draws what cameras ask for.

    Args:
        measured: costs and scenes.
        kinds: index into ``measured.kinds`` of each camera.
        quiet: share of minutes in which a camera sees nobody, by day; at night all but ``night`` of the others are as quiet.
        night: see there.
        seed: of all that is drawn.
    """

    def __init__(self, measured: Measured, kinds: NDArray[np.int64], quiet: float, night: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._quiet, self._night = quiet, night
        fps = np.array([kind.fps for kind in measured.kinds])[kinds]
        self._base: Floats = np.array([base_of(kind, measured) for kind in measured.kinds])[kinds]
        face, track = np.mean(measured.face_seconds), np.mean(measured.track_seconds)
        busy = [one for one in measured.scenes["camera"] if one.faces]
        faces = np.array([(one.faces * face + one.tracks * track) / one.seconds for one in busy])
        follow = np.array([one.follow_seconds - quiet_follow(measured) for one in busy])
        self._rates: Floats = faces + np.maximum(0.0, follow) * fps[:, None]
        """(cameras, scenes): what faces cost while they are there, following them included."""
        self.weights: Floats = self._base + (1 - quiet) * self._rates.mean(axis=1)
        """(cameras,): cores of each in a mean minute of the day."""

    def draw(self, now_seconds: float) -> Demand:
        """Return one minute of all cameras."""
        cameras, hour = len(self._base), now_seconds / 3600 % 24
        awake = (1 - self._quiet) * (1.0 if 7 <= hour < 21 else self._night)
        scenes = self._random.integers(0, self._rates.shape[1], cameras)
        faces = self._rates[np.arange(cameras), scenes]
        return Demand(self._base, np.where(self._random.random(cameras) < awake, faces, 0.0))


def base_of(kind: Kind, measured: Measured) -> float:
    """Return the cores that a camera takes which sees nobody."""
    looks = min(float(kind.fps), DETECTIONS_PER_SECOND)
    return kind.fps * (float(np.mean(kind.decode_seconds)) + quiet_follow(measured)) + looks * float(
        np.mean(kind.detect_seconds)
    )


def quiet_follow(measured: Measured) -> float:
    """Return what following costs a frame on which there is nobody."""
    return float(np.mean([scene.follow_seconds for scene in measured.scenes["camera"] if not scene.faces]))
