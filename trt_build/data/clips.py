"""The luma of recorded video, for training and measuring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import av
import numpy as np

from engine.contracts.frames import Uint8
from trt_build.errors import DataError


def luma_frames(clip: Path, every: int = 1) -> Iterator[Uint8]:
    """Yield the luma (H, W) of every ``every``-th frame, as decoded: usually 16 to 235.

    Raises:
        DataError: the clip cannot be read.
    """
    with _readable(clip), av.open(str(clip)) as container:
        for frame in islice(container.decode(video=0), None, None, every):
            plane = frame.reformat(format="yuv420p").planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)  # to_ndarray refuses odd sizes
            yield np.ascontiguousarray(rows[: frame.height, : frame.width])


def count_frames(clip: Path) -> int:
    """Return the number of packets of the video stream, without decoding them.

    Raises:
        DataError: the clip cannot be read.
    """
    with _readable(clip), av.open(str(clip)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def frames_of(clip: Path, count: int) -> Iterator[Uint8]:
    """Return the luma of about ``count`` frames, evenly spread.

    Raises:
        DataError: the clip cannot be read.
    """
    return luma_frames(clip, step_of(clip, count))


def step_of(clip: Path, count: int) -> int:
    """Return the distance, in frames, between those that ``frames_of`` returns.

    Raises:
        DataError: the clip cannot be read.
    """
    return max(1, count_frames(clip) // count)


@contextmanager
def _readable(clip: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, av.error.FFmpegError) as error:  # LookupError: no video stream, no decoder
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"The clip '{clip}' cannot be read: {reason}.") from None
