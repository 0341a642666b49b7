"""What the benchmark works on: real footage where it is there, else the sample clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from engine.config import Config
from engine.config.file import load_config
from engine.sample.clip import render_sample
from tests.assets import SHARED


@dataclass(frozen=True)
class Material:
    """A clip and the detector for it."""

    clip: Path
    detector: str
    """``dlib-hog``, or the path of a YuNet file."""
    frames: int

    def config(self, **sections: dict[str, object]) -> Config:
        """Return the configuration of the comparison: every face of every frame, no embedder, as the plain loop does it."""
        base = {
            "sources": [{"uri": str(self.clip)}],
            "detect": {"detector": self.detector, "upsample": 0},
            "track": {"min_detections": 1},
            "crop": {"policy": "every", "min_size_px": 4, "max_size_px": 1000},
            "verify": {"embedder": "none"},
            "publish": {"parts": ["enhanced", "original"]},
        }
        return load_config(None, {**base, **{key: {**base.get(key, {}), **value} for key, value in sections.items()}})


def find_material(folder: Path) -> list[Material]:
    """Return a street scene (small faces, few) and a signer (one face in each frame) with YuNet, else the sample clip."""
    model = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
    clips = [SHARED / "video" / name for name in ("one-by-one-person-detection.mp4", "asl_book.mkv")]
    if model.exists() and all(clip.exists() for clip in clips):
        return [Material(clip, str(model), _frames(clip)) for clip in clips]
    sample = folder / "bench.mp4"
    render_sample(sample, seconds=8.0, seed=0)
    return [Material(sample, "dlib-hog", _frames(sample))]


def _frames(clip: Path) -> int:
    with av.open(str(clip)) as container:
        return sum(1 for _ in container.decode(video=0))
