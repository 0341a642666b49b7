"""Clips that the tests render themselves: noise over a moving ramp, so that every frame differs from the others."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

X265 = {"x265-params": "log-level=none:bframes=0"}
"""Quiet, and without reordering: of short clips x265 now and then gives a packet that decodes after it is shown."""


def picture(index: int, width: int, height: int) -> np.ndarray:
    """Return RGB uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    ramp = np.stack([x + 5 * index, y + 2 * index, x + y], axis=-1) % 256
    noise = np.random.default_rng(index).integers(0, 24, (height, width, 1))
    return np.clip(ramp + noise, 0, 255).astype(np.uint8)


def render(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (96, 64),
    frames: int = 12,
    container: str | None = None,
    codec_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pts: Sequence[int] | None = None,
    colour: tuple[int, int] | None = None,
    rate: int | Fraction = 25,
) -> Path:
    """Encode ``frames`` pictures at ``rate`` per second; ``colour`` is (colour space, colour range) in FFmpeg's numbers."""
    width, height = size
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=rate, options=codec_options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if colour:
            stream.codec_context.colorspace, stream.codec_context.color_range = colour
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height), "rgb24").reformat(format=pix_fmt)
            if colour:
                frame.colorspace, frame.color_range = colour
            if pts is not None:
                frame.pts, frame.time_base = pts[index], Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def cut(path: Path, share: float, target: Path) -> Path:
    """Copy the first ``share`` of a file's bytes."""
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def with_display_matrix(path: Path, matrix: tuple[int, int, int, int], target: Path) -> Path:
    """Copy an MP4 with the first four factors (a, b, c, d) of its track's display matrix replaced."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (factor << 16 for factor in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(data)
    return target


def write_dav(path: Path, video: Path) -> Path:
    """Write the packets of a video as a recorder does: stamped in the order in which they come, 25 a second."""
    data = bytearray()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        codec = {"h264": 2, "hevc": 12}[stream.codec_context.name]
        said = struct.pack("<4s2H4B", b"\x82\0\0\0", stream.width, stream.height, 0x81, 0, codec, 25)
        for number, packet in enumerate(p for p in container.demux(stream) if p.size):
            seconds, ms = divmod(40 * number, 1000)
            date = (26 << 26) | (3 << 22) | (1 << 17) | (14 << 12) | (5 << 6) | seconds
            size = 24 + len(said) + packet.size + 8
            kind = 0xFD if packet.is_keyframe else 0xFC
            data += struct.pack("<4s4B3IHBB", b"DHAV", kind, 0, 0, 0, number, size, date, ms + 7, len(said), 0)
            data += said + bytes(packet) + struct.pack("<4sI", b"dhav", size)
    path.write_bytes(data)
    return path
