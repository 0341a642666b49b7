"""What cameras ask of a node's cores, minute by minute, drawn from what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.fleet.measured import Kind, Measured, Scene

DETECTIONS_PER_SECOND = 10.0
"""``live.detect_fps`` as by default."""
HELD_SHARE = 0.45
"""Of the cores over the CPU time of the stages alone: where drops begin (docs/live.md: 5 of 11.0 streams, two cores of an AMD EPYC)."""
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
        base = np.array([base_of(kind, measured) for kind in measured.kinds])
        self._base: Floats = base[kinds]
        face, track = np.mean(measured.face_seconds), np.mean(measured.track_seconds)
        busy = [one for one in measured.scenes["camera"] if one.faces]
        self._rates = np.array([(one.faces * face + one.tracks * track) / one.seconds for one in busy])
        self.mean_cores = float(np.mean(self._base) + (1 - quiet) * np.mean(self._rates))
        """Of a camera by day."""

    def draw(self, now_seconds: float) -> Demand:
        """Return one minute of all cameras."""
        cameras, hour = len(self._base), now_seconds / 3600 % 24
        awake = (1 - self._quiet) * (1.0 if 7 <= hour < 21 else self._night)
        faces = self._rates[self._random.integers(0, len(self._rates), cameras)]
        return Demand(self._base, np.where(self._random.random(cameras) < awake, faces, 0.0))


def base_of(kind: Kind, measured: Measured) -> float:
    """Return the cores that a camera takes which sees nobody."""
    follow = float(np.mean([_follow(scene) for scene in measured.scenes["camera"]]))
    looks = min(float(kind.fps), DETECTIONS_PER_SECOND)
    return kind.fps * (float(np.mean(kind.decode_seconds)) + follow) + looks * float(np.mean(kind.detect_seconds))


def _follow(scene: Scene) -> float:
    return scene.follow_seconds
