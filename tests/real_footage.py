"""Frames of real recordings as planes, read with PyAV alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from engine.contracts.frames import FrameTime, Planes


def frames(path: Path, first: int = 0, last: int | None = None, every: int = 1) -> Iterator[tuple[FrameTime, Planes]]:
    """Yield every n-th frame from ``first`` until before ``last``; the arrays are copies."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if last is not None and index >= last:
                return
            if index < first or (index - first) % every:
                continue
            rows = [np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes]
            y, u, v = (row[:, : plane.width].copy() for row, plane in zip(rows, frame.planes, strict=True))
            base = frame.time_base
            time = FrameTime(index, frame.pts, (base.numerator, base.denominator), float(frame.pts * base), 0)
            yield time, Planes(y, u, v, "bt709" if frame.colorspace == 1 else "bt601", frame.color_range == 2)
