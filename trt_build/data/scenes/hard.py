"""Earlier false alarms and missed faces: pixels to be pasted, and places in real pictures to be shown again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.array_files import write_arrays

NEGATIVES, PICTURES, CLIPS = 0, 1, 2


@dataclass(frozen=True)
class Hard:
    """The hard examples known so far."""

    windows: list[Uint8] = field(default_factory=list)
    """False alarms cut out of backgrounds and textures."""
    places: Float32 = field(default_factory=lambda: np.zeros((0, 6), np.float32))
    """(N, 6): ``NEGATIVES``, ``PICTURES`` or ``CLIPS``, the number of the picture there, and x, y, width, height."""

    def of(self, kind: int) -> Float32:
        """Return the places (N, 5) in pictures of one kind."""
        return self.places[self.places[:, 0] == kind, 1:]

    def __len__(self) -> int:
        return len(self.windows) + len(self.places)


def write_hard(path: Path, hard: Hard) -> None:
    """Write all to one file, atomically."""
    shapes = np.array([window.shape for window in hard.windows], np.int64).reshape(-1, 2)
    pixels = np.concatenate([window.ravel() for window in hard.windows]) if hard.windows else np.zeros(0, np.uint8)
    write_arrays(path, {"shapes": shapes, "pixels": pixels, "places": hard.places})


def read_hard(path: Path) -> Hard:
    """Read what ``write_hard`` wrote."""
    with np.load(path) as stored:
        shapes, pixels, places = stored["shapes"], stored["pixels"], stored["places"]
    ends = np.cumsum(shapes.prod(axis=1)) if len(shapes) else np.zeros(0, np.int64)
    windows = [pixels[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends, shapes, strict=True)]
    return Hard(windows, places)
