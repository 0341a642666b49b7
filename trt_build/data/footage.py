"""Faces of real footage before and after a camera's small stream: pairs whose damage is not simulated.

A clip is shrunk until its faces are small, encoded with libx264 and decoded; faces are cut from every few frames, and the same
places from the original clip. Sensor noise, light and movement are the clip's own. Training must use only the small faces; the
sharp ones are for measuring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import DetectConfig
from engine.contracts.frames import Uint8
from engine.detect.catalog import open_detector
from engine.models.catalog import find_model
from trt_build.array_files import key_of, write_arrays
from trt_build.data.clips import luma_frames
from trt_build.data.h264_bank import through_h264
from trt_build.data.scenes.teacher import expand, grey_planes
from trt_build.errors import DataError
from trt_build.recipes.redeg import FootageSpec
from trt_build.work import Done

_SCALES = (0.85, 1.15)
"""Range of sizes to which a clip is shrunk, relative to the one that gives most faces the wanted size."""
_MOST_FRAMES = 600
"""Most frames of a clip: all are in memory, 2 MB each at 1080p."""


@dataclass(frozen=True)
class Footage:
    """N pairs: ``low`` uint8 (N, s, s), ``high`` (N, scale*s, scale*s), luma 0 to 255; ``names``: `CLIP/PASS/FRAME_FACE`."""

    low: Uint8
    high: Uint8
    names: tuple[str, ...]

    def encodings(self) -> list[str]:
        """Clip and pass of each pair, which the pairs of one encoding share."""
        return [name.rsplit("/", 1)[0] for name in self.names]


def cached_footage(spec: FootageSpec, low_px: int, scale: int, seed: int, cache: Path, done: Done) -> Footage:
    """Return `read_footage`, cached in ``cache``."""
    files = [key_of(Path(clip)) for clip in spec.clips if Path(clip).exists()]
    key = hashlib.sha256(msgspec.json.encode((spec, low_px, scale, seed, files))).hexdigest()[:12]
    path = cache / f"footage-{key}.npz"
    if not path.exists():
        made = read_footage(spec, low_px, scale, seed, done)
        write_arrays(path, {"low": made.low, "high": made.high, "names": np.array(made.names)})
    with np.load(path) as stored:
        return Footage(stored["low"], stored["high"], tuple(stored["names"].tolist()))


def read_footage(spec: FootageSpec, low_px: int, scale: int, seed: int, done: Done) -> Footage:
    """Find the faces of all clips and encode each clip ``spec.passes`` times.

    Args:
        spec: which clips, and how strongly they are compressed.
        low_px: side of the small pictures.
        scale: side of the sharp ones over that.
        seed: of the sizes and rates.
        done: called with the number of finished encodings and the total.

    Raises:
        DataError: a clip cannot be read, or no face is found in it.
    """
    pairs = []
    for number, clip in enumerate(spec.clips):
        frames = [expand(frame) for frame in islice(luma_frames(Path(clip)), _MOST_FRAMES)]
        places = _faces(frames, spec)
        if not len(places):
            raise DataError(f"No face was found in '{clip}': choose footage with faces.")
        for turn in range(spec.passes):
            rng = np.random.default_rng((seed, number, turn))
            # the other faces are LFW's pictures, which are as high as a detector's box
            ratio = low_px / float(np.median(places[:, 3])) * rng.uniform(*_SCALES)
            crf = int(rng.integers(spec.crf_min, spec.crf_max + 1))
            cut = _cut(frames, places, min(1.0, ratio), crf, low_px, scale)
            pairs += [(f"{Path(clip).stem}/{turn}/{name}", low, high) for name, low, high in cut]
            done("encodings of footage", number * spec.passes + turn + 1, len(spec.clips) * spec.passes)
    if not pairs:
        raise DataError(f"No face of {', '.join(spec.clips)} lies wholly within its frame: choose other footage.")
    names, lows, highs = zip(*pairs, strict=True)
    return Footage(np.stack(lows), np.stack(highs), names)


def _faces(frames: list[Uint8], spec: FootageSpec) -> NDArray[np.float64]:
    """Return the faces of about ``frames_per_clip`` frames: (N, 5) centre x and y, width, height, number of the frame."""
    detector = open_detector(DetectConfig(detector=spec.detector), find_model)
    found: list[tuple[float, ...]] = []
    for index in range(0, len(frames), max(1, len(frames) // spec.frames_per_clip)):
        (seen,) = detector.detect([grey_planes(frames[index], full_range=True)])
        sure = seen.boxes[seen.scores >= detector.sure_score]
        found += [(x + width / 2, y + height / 2, width, height, index) for x, y, width, height in sure.tolist()]
    return np.array(found).reshape(-1, 5)


def _cut(
    frames: list[Uint8], places: NDArray[np.float64], ratio: float, crf: int, low_px: int, scale: int
) -> Iterator[tuple[str, Uint8, Uint8]]:
    """Yield name, small and sharp picture of every face, after the clip was encoded at ``ratio`` of its size.

    Windows begin on whole pixels of the small frame, so that those of the sharp frame, ``scale`` times as large, fit exactly.
    """
    height, width = (2 * round(length * ratio / 2) for length in frames[0].shape)
    if min(height, width) < low_px:
        return
    small = (cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames)
    decoded = through_h264((np.asarray(frame, np.uint8) for frame in small), (width, height), crf)
    shares = np.array([width, height]) / np.array(frames[0].shape[::-1])
    for face, (x, y, _, _, index) in enumerate(places.tolist()):
        left, top = np.rint(np.array([x, y]) * shares - low_px / 2).astype(int).tolist()
        if left < 0 or top < 0 or left + low_px > width or top + low_px > height:
            continue
        sharp = _resized(frames[int(index)], (width * scale, height * scale))
        low = decoded[int(index)][top : top + low_px, left : left + low_px]
        side = low_px * scale
        high = sharp[top * scale : top * scale + side, left * scale : left * scale + side]
        yield f"{int(index):05d}_{face}", low.copy(), high.copy()


def _resized(frame: Uint8, size: tuple[int, int]) -> Uint8:
    how = cv2.INTER_AREA if size[0] < frame.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, size, interpolation=how), np.uint8)
