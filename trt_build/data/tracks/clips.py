"""Simulates tracks: faces move in the cells of a clip, which is blurred, shrunk, made noisy and encoded; then they are cut out
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trt_build.data.degradation import Image, Luma8, Random, motion_blur, optical_blur
from trt_build.data.h264_bank import HEIGHT, WIDTH, Coded, Coder, coded_by_h264, cut
from trt_build.data.tracks.motion import Motion, draw_motion
from trt_build.errors import DataError
from trt_build.measures.resample import to_levels
from trt_build.recipes.track import ClipSpec

SCALE = 4
_SLACK = 16
"""Pixels between neighbouring faces, in which they move."""


@dataclass(frozen=True)
class Tracks:
    """T tracks of K frames each; the first frame is the reference."""

    low: Luma8
    """(T, K, size, size) as decoded."""
    truth: Luma8
    """(T, 4 size, 4 size): what the reference shows, before the camera."""
    affine: NDArray[np.float32]
    """(T, K, 2, 3): from pixels of the enlarged reference to those of the enlarged frame, centres at whole numbers. Bending is
    not included.
    """
    qp: NDArray[np.float32] | None = None
    """(T, K): compression as ``Quality.qp``; NaN if not encoded. None: not stored."""


@dataclass(frozen=True)
class _Filmed:
    """One face of a clip."""

    blurred: Image
    motion: Motion
    smeared: NDArray[np.bool_]
    """(frames,)"""


def per_clip(size: int) -> int:
    """Return how many faces of ``size`` px fit in a clip.

    Raises:
        DataError: not even one.
    """
    pitch = size + _SLACK
    if pitch > HEIGHT:
        raise DataError(f"Faces of {size} px are too large to be filmed in clips that are {HEIGHT} px high.")
    return (WIDTH // pitch) * (HEIGHT // pitch)


def film(faces: Luma8, spec: ClipSpec, rng: Random, size: int, code: Coder = coded_by_h264) -> Tracks:
    """Simulate up to ``per_clip(size)`` faces in one clip.

    Args:
        faces: (T, 4 size, 4 size), the truth.
        spec: settings of the clip.
        rng: makes the random choices.
        size: side of the small faces in pixels.
        code: encodes and decodes the clip.
    """
    step = (spec.frames - 1) // max(1, spec.kept - 1) if spec.kept > 1 else 1
    times = step * np.arange(spec.kept) + int(rng.integers(0, spec.frames - step * (spec.kept - 1)))
    times = rng.permutation(times)
    filmed = [_filmed(face, spec, rng, int(times[0]), size) for face in faces]
    noise = float(rng.uniform() ** 1.5 * spec.noise_max)
    frames = _frames(filmed, spec, noise, size, rng)
    if rng.random() < spec.raw_share:
        seen: list[Coded] = [(frame, None) for frame in frames]
    else:
        crf = int(rng.integers(spec.crf_min, spec.crf_max + 1))
        seen = code(frames, (WIDTH, HEIGHT), crf, str(rng.choice(spec.presets)), int(rng.choice(spec.groups)))
    tracks = [
        _cut(index, face, one, seen, times, size, rng) for index, (face, one) in enumerate(zip(faces, filmed, strict=True))
    ]
    low, truth, affine, qp = zip(*tracks, strict=True)
    return Tracks(np.stack(low), np.stack(truth), np.stack(affine), np.stack(qp))


def _filmed(face: Luma8, spec: ClipSpec, rng: Random, reference: int, size: int) -> _Filmed:
    blurred = face.astype(np.float32)
    if rng.random() < spec.blur_share:
        blurred = optical_blur(blurred, rng, 0.3, spec.blur_max)
    bends, exposed, smeared = (rng.random() < share for share in (spec.bending_share, spec.exposure_share, spec.smear_share))
    motion = draw_motion(rng, spec.frames, reference, SCALE * size, _SLACK / 2 - 2, bends=bool(bends), exposed=bool(exposed))
    return _Filmed(blurred, motion, (rng.random(spec.frames) < 0.35) & smeared)


def _home(index: int, size: int) -> tuple[int, int]:
    """Return the position (x, y) of a resting face in the clip."""
    pitch = size + _SLACK
    row, column = divmod(index, WIDTH // pitch)
    return column * pitch + _SLACK // 2, row * pitch + _SLACK // 2


def _frames(filmed: list[_Filmed], spec: ClipSpec, noise: float, size: int, rng: Random) -> Iterator[Luma8]:
    pitch = size + _SLACK
    left, right = rng.uniform(20, 200, 2)
    background = np.broadcast_to(np.linspace(left, right, WIDTH, dtype=np.float32), (HEIGHT, WIDTH))
    for time in range(spec.frames):
        canvas = background.copy()
        for index, one in enumerate(filmed):
            x, y = _home(index, size)
            canvas[y - _SLACK // 2 :, x - _SLACK // 2 :][:pitch, :pitch] = _cell(one, time, size, rng)
        yield to_levels(canvas + np.float32(noise) * rng.standard_normal(canvas.shape, dtype=np.float32))


def _cell(one: _Filmed, time: int, size: int, rng: Random) -> Image:
    """Render one face and its surroundings at low resolution: (pitch, pitch)."""
    picture = one.blurred
    if (field := one.motion.bending(time)) is not None:
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
        bent = cv2.remap(picture, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        picture = np.asarray(bent, np.float32)
    if one.smeared[time]:
        picture = motion_blur(picture, rng, 2.0, 7.0)
    seen = cv2.blur(picture, (SCALE, SCALE), borderType=cv2.BORDER_REFLECT)  # mean over a sensor pixel at each position
    matrix = one.motion.matrix(time, picture.shape[0])
    matrix[:, 2] += SCALE * _SLACK / 2 - (SCALE - 1) / 2 - matrix[:, :2] @ (0.5, 0.5)  # an even window is off by half a pixel
    pitch = size + _SLACK
    small = cv2.warpAffine(seen, matrix / SCALE, (pitch, pitch), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(small * one.motion.gain[time], np.float32)


def _cut(
    index: int, face: Luma8, one: _Filmed, seen: list[Coded], times: NDArray[np.int64], size: int, rng: Random
) -> tuple[Luma8, Luma8, NDArray[np.float32], NDArray[np.float32]]:
    """Cut a window out of each frame like a detector, with an error of up to a pixel."""
    home, corners = np.array(_home(index, size)), []
    for time in times:
        jitter = rng.integers(-1, 2, 2) if rng.random() < 0.6 else np.zeros(2, np.int64)
        corners.append(np.clip(np.rint(one.motion.shift[time]).astype(np.int64) + jitter, -_SLACK // 2, _SLACK // 2))
    windows = [cut(seen[time], int(x), int(y), size) for time, (x, y) in zip(times, home + corners, strict=True)]
    low, qp = (np.stack(part) for part in zip(*windows, strict=True))
    rim = SCALE * _SLACK
    x, y = SCALE * corners[0] + rim
    wide = cv2.copyMakeBorder(face, rim, rim, rim, rim, cv2.BORDER_REFLECT)
    truth = np.asarray(wide[y : y + SCALE * size, x : x + SCALE * size], np.uint8)
    maps = []
    for time, corner in zip(times, corners, strict=True):
        matrix = one.motion.matrix(int(time), SCALE * size)
        matrix[:, 2] += matrix[:, :2] @ (SCALE * corners[0]) - SCALE * corner
        maps.append(matrix)
    return low, truth, np.stack(maps).astype(np.float32), qp.astype(np.float32)
