"""Test tracks from real clips: faces that turn and speak, shrunk and encoded; only the distance is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.config import DetectConfig
from engine.contracts.frames import Uint8
from engine.detect.catalog import open_detector
from engine.models.catalog import find_model
from trt_build.data.clips import luma_frames
from trt_build.data.h264_bank import Coded, Coder, coded_by_h264, cut
from trt_build.data.scenes.teacher import expand, grey_planes
from trt_build.data.tracks.clips import SCALE
from trt_build.errors import DataError
from trt_build.protocols.tracks.track_sets import TrackSet
from trt_build.work import Done

FRAMES = 8
_SPACING = 3
"""Distance of a track's frames: at 25 to 30 fps eight of them span most of a second."""
_PASSES = 3
_SIZES = (0.9, 1.1)
_MOST_FRAMES = 300
Place = tuple[float, float, float]
"""Centre of a face, x and y, and its height, in pixels of the clip."""


class Clips:
    """The frames of clips and the positions of their faces, read once."""

    def __init__(self, paths: Sequence[Path], done: Done) -> None:
        """Read them.

        Raises:
            DataError: a clip cannot be read.
        """
        self._found: dict[str, tuple[list[Uint8], list[Place | None]]] = {}
        finder = open_detector(DetectConfig(detector="grey"), find_model)
        for path in paths:
            frames = [expand(frame) for frame in islice(luma_frames(path), _MOST_FRAMES)]
            places = []
            for frame in frames:
                (seen,) = finder.detect([grey_planes(frame, full_range=True)])
                sure = seen.boxes[seen.scores >= finder.sure_score].tolist()
                x, y, width, height = max(sure, key=lambda box: box[2] * box[3], default=(0, 0, 0, 0))
                places.append((x + width / 2, y + height / 2, height) if height else None)
            self._found[path.stem] = (frames, places)
            done("finding faces in clips", len(self._found), len(paths))

    def tracks(self, low_px: int, crf: int | None, seed: int, code: Coder = coded_by_h264) -> TrackSet:
        """Return tracks of eight frames within a second each, the first one the reference.

        Args:
            low_px: side of the small pictures, which is about the height of the face.
            crf: of the encoder; None: there is none.
            seed: of the sizes, and of the choice of reference frames.
            code: encodes and decodes the clip.

        Raises:
            DataError: there is no track.
        """
        made = []
        for number, (name, (frames, places)) in enumerate(self._found.items()):
            for turn in range(_PASSES):
                rng = np.random.default_rng((seed, number, turn))
                made += [(name, *one) for one in _tracks(frames, places, low_px, crf, turn, rng, code)]
        if not made:
            raise DataError(f"No clip shows a face through {FRAMES * _SPACING} frames: choose other clips.")
        names, lows, sharp, qps = zip(*made, strict=True)
        truths = np.stack(sharp)
        kind = "clips" if crf is None else f"clips crf{crf}"
        return TrackSet(kind, low_px, np.stack(lows), truths[:, 0], None, tuple(names), truths, np.stack(qps))


def _tracks(
    frames: list[Uint8],
    places: list[Place | None],
    low_px: int,
    crf: int | None,
    turn: int,
    rng: np.random.Generator,
    code: Coder,
) -> list[tuple[Uint8, Uint8, NDArray[np.float64]]]:
    """Return small frames (FRAMES, low_px, low_px), truths of SCALE times the size, and QP (FRAMES,) of each
    piece of a clip.
    """
    heights = [place[2] for place in places if place is not None]
    ratio = min(1.0, low_px / float(np.median(heights)) * rng.uniform(*_SIZES)) if heights else 1.0
    height, width = (2 * round(length * ratio / 2) for length in frames[0].shape)
    small = [np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]
    seen: list[Coded] = (
        [(frame, None) for frame in small] if crf is None else code(small, (width, height), crf, "veryfast", 250)
    )
    shares = np.array([width, height]) / np.array(frames[0].shape[::-1])
    length, found = _SPACING * FRAMES, []
    for start in range(turn * length // _PASSES, len(frames) - length + 1, length):
        times = rng.permutation(start + _SPACING * np.arange(FRAMES)).tolist()
        corners = [_corner(places[time], shares, low_px, (width, height)) for time in times]
        if any(corner is None for corner in corners):
            continue
        windows = [cut(seen[time], x, y, low_px) for time, (x, y) in zip(times, corners, strict=True)]  # type: ignore[misc]
        low, qp = zip(*windows, strict=True)
        way = cv2.INTER_AREA if width * SCALE < frames[0].shape[1] else cv2.INTER_CUBIC
        side, sharp = low_px * SCALE, []
        for time, (x, y) in zip(times, corners, strict=True):  # type: ignore[misc]
            large = cv2.resize(frames[time], (width * SCALE, height * SCALE), interpolation=way)
            sharp.append(np.asarray(large[y * SCALE :, x * SCALE :][:side, :side], np.uint8))
        found.append((np.stack(low), np.stack(sharp), np.array(qp)))
    return found


def _corner(place: Place | None, shares: np.ndarray, low_px: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """Return the corner of the window around a face in the small frame; None if the window is not completely inside."""
    if place is None:
        return None
    left, top = np.rint(np.array(place[:2]) * shares - low_px / 2).astype(int).tolist()
    fits = left >= 0 and top >= 0 and left + low_px <= size[0] and top + low_px <= size[1]
    return (left, top) if fits else None
