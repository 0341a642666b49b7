"""A bank of faces compressed by a real H.264 encoder, made once before training.

Low-resolution faces are placed in a mosaic with a pitch of 48 px, or more for larger ones, on a 1280x720 canvas, each at a
random position in its cell (so not aligned with macroblocks) and moving, those of 32 px by up to 1.2 px a frame. The clip is
encoded with libx264 (veryfast, one CRF a clip) and decoded, and the faces are cut from one P or B frame in the middle, where
each lies on whole pixels again: so the truth of a cut face is simply the sharp face.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.coding import BlockMap
from engine.pictures.blocks import BlockReader, ask_for_blocks
from engine.pictures.x264 import repeatable_x264
from trt_build.data.degradation import Luma8, Random, optical_blur
from trt_build.errors import DataError
from trt_build.measures.resample import to_levels
from trt_build.recipes.degradations import H264Spec

WIDTH, HEIGHT = 1280, 720
_PITCH, _LEAST_SLACK = 48, 16
Coded = tuple[Luma8, BlockMap | None]
"""A decoded frame, (height, width), and its map of blocks; None if it was not encoded."""
Coder = Callable[[Iterable[Luma8], tuple[int, int], int, str, int], list[Coded]]
"""As ``coded_by_h264``."""


def make_bank(faces: Luma8, size: int, spec: H264Spec, seed: int, done: Callable[[int], None] | None = None) -> Luma8:
    """Encode `faces` (N, S, S) `spec.passes` times: uint8 (passes, N, size, size).

    Raises:
        DataError: `size` is larger than the canvas.
    """
    scale, pitch = faces.shape[1] // size, _pitch(size)
    per_clip = (WIDTH // pitch) * (HEIGHT // pitch)
    bank = np.empty((spec.passes, len(faces), size, size), dtype=np.uint8)
    for turn in range(spec.passes):
        order = np.random.default_rng((seed, turn)).permutation(len(faces))
        for start in range(0, len(faces), per_clip):
            chosen = order[start : start + per_clip]
            rng = np.random.default_rng((seed, turn, start))
            bank[turn, chosen] = _through_codec(faces[chosen], size, scale, spec, rng)
            if done is not None:
                done(len(chosen))
    return bank


def _pitch(size: int) -> int:
    """Distance of the faces in a mosaic, with room to move."""
    pitch = max(_PITCH, size + _LEAST_SLACK)
    if pitch > HEIGHT:
        raise DataError(f"Faces of {size} px are too large for the H.264 bank, whose clips are {HEIGHT} px high.")
    return pitch


def _through_codec(faces: Luma8, size: int, scale: int, spec: H264Spec, rng: Random) -> Luma8:
    """Encode the faces (n, S, S) of one clip: (n, size, size), decoded from one inter frame."""
    cut = int(rng.integers(spec.frames // 3, spec.frames - 2))
    pitch = _pitch(size)
    slack, columns = pitch - size, WIDTH // pitch
    index = np.arange(len(faces))
    corner = np.stack([index % columns, index // columns], axis=1) * pitch
    reach = max(cut, spec.frames - 1 - cut)
    speed = rng.uniform(-1, 1, (len(faces), 2)) * (slack / 2 - 1) / reach
    home = corner + slack // 2 + rng.integers(-1, 2, (len(faces), 2))
    blurred = np.stack([to_levels(optical_blur(f.astype(np.float32), rng, 0.3, 2.0)) for f in faces])
    crf = int(rng.integers(spec.crf_min, spec.crf_max + 1))
    noise = float(rng.uniform(0, spec.noise_max))
    frames = _clip(blurred, home, speed, cut, scale, noise, spec.frames, rng)
    decoded = through_h264(frames, (WIDTH, HEIGHT), crf)[cut]
    return np.stack([decoded[y : y + size, x : x + size] for x, y in home])


def _clip(
    faces: Luma8,
    home: NDArray[np.int64],
    speed: NDArray[np.float64],
    cut: int,
    scale: int,
    noise: float,
    count: int,
    rng: Random,
) -> Iterator[Luma8]:
    """Render the moving mosaic at `scale` times the size and shrink each frame by area."""
    left, right = rng.uniform(20, 200, 2).tolist()
    ramp = np.linspace(left, right, WIDTH * scale)
    background = np.broadcast_to(ramp.astype(np.uint8), (HEIGHT * scale, WIDTH * scale))
    side = faces.shape[1]
    for time in range(count):
        canvas = background.copy()
        place = home * scale + np.rint(speed * scale * (time - cut)).astype(np.int64)
        for face, (x, y) in zip(faces, place, strict=True):
            canvas[y : y + side, x : x + side] = face
        small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        grain = rng.standard_normal(small.shape, dtype=np.float32) * np.float32(noise)
        yield to_levels(small + grain)


def through_h264(frames: Iterable[Luma8], size: tuple[int, int], crf: int) -> list[Luma8]:
    """Return only the luma of ``coded_by_h264``."""
    return [luma for luma, _ in coded_by_h264(frames, size, crf)]


def coded_by_h264(
    frames: Iterable[Luma8], size: tuple[int, int], crf: int, preset: str = "veryfast", group: int = 250
) -> list[Coded]:
    """Encode and decode with libx264 in memory; luma is written to and read from the Y plane without colour conversion. Return
    each frame with its map of blocks.

    Args:
        frames: (height, width) each, 0 to 255.
        size: width and height, even.
        crf: constant rate factor, 0 to 51.
        preset: of libx264.
        group: most frames from one key frame to the next.
    """
    width, height = size
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": preset, "g": str(group), "threads": "1", **repeatable_x264()}
        grey = np.full((height // 2, width), 128, dtype=np.uint8)
        for luma in frames:
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory, "r") as container:
        ask_for_blocks(container.streams.video[0].codec_context)
        blocks = BlockReader()
        return [
            (np.array(frame.to_ndarray()[:height, :width], dtype=np.uint8), blocks.read(frame))
            for frame in container.decode(video=0)
        ]


def cut(frame: Coded, left: int, top: int, side: int) -> tuple[Luma8, float]:
    """Return a window (side, side) of a frame, and its mean quantisation parameter, NaN if unknown."""
    luma, blocks = frame
    qp = None if blocks is None else blocks.qp_under((left, top, side, side))
    return luma[top : top + side, left : left + side], math.nan if qp is None else qp
