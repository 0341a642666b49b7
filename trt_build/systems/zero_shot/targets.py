"""Pseudo high resolution for small faces: each is enlarged by a network trained on it alone (ZSSR)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from engine.contracts.frames import Uint8
from trt_build.array_files import write_array
from trt_build.systems.zero_shot.zssr import ZeroShotSpec, enlarge_zero_shot
from trt_build.work import Done

_CHUNK = 16
"""Number of pictures trained side by side, which are lost if the run is stopped."""


def zero_shot_targets(images: Uint8, spec: ZeroShotSpec, cache: Path, done: Done) -> Uint8:
    """Return (N, scale * h, scale * w) for (N, h, w); finished pictures are cached in ``cache``.

    Raises:
        DataError: the pictures are too small.
    """
    key = hashlib.sha256(images.tobytes() + repr(spec).encode()).hexdigest()[:12]
    folder = cache / f"zero-shot-{key}"
    parts = []
    for start in range(0, len(images), _CHUNK):
        path = folder / f"{start:06d}.npy"
        if not path.exists():
            write_array(path, enlarge_zero_shot(images[start : start + _CHUNK], spec))
        part: Uint8 = np.load(path)
        parts.append(part)
        done("zero-shot targets", min(start + _CHUNK, len(images)), len(images))
    return np.concatenate(parts)
