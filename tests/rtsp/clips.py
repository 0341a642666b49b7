"""Elementary streams that the servers send: encoded once, before anything is served, so that serving costs no encoding.

A clip has no B-frames and one slice a picture, so that an access unit is found by the first bit of a slice header.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest

from engine.contracts.frames import Uint8
from engine.sample.clip import render_sample

Codec = Literal["h264", "h265", "mjpeg"]
ENCODERS: dict[Codec, str] = {"h264": "libx264", "h265": "libx265", "mjpeg": "mjpeg"}
OPTIONS: dict[Codec, dict[str, str]] = {
    "h264": {"profile": "baseline", "preset": "veryfast", "x264-params": "slices=1:scenecut=0:repeat-headers=1"},
    "h265": {"preset": "ultrafast", "x265-params": "bframes=0:scenecut=0:repeat-headers=1:log-level=none:slices=1:pools=none"},
    # RTP carries the quantisation tables of a JPEG but not its Huffman tables: only the standard ones work.
    "mjpeg": {"huffman": "default"},
}
NUMBER_BITS = 12
"""A numbered clip says its frame's number in so many squares, most significant first; it counts to 4095."""


@dataclass(frozen=True)
class Clip:
    """An elementary stream in a file: Annex B for H.264 and H.265, JPEG pictures one after the other for MJPEG."""

    path: Path
    codec: Codec
    fps: int
    size_px: tuple[int, int]
    """Width and height."""
    key_every: int
    """Frames from one key frame to the next."""

    @cached_property
    def units(self) -> list[bytes]:
        """The access units (pictures), each with its start codes; the first is a key frame with its parameter sets."""
        return list(access_units(self.path.read_bytes(), self.codec))

    @property
    def frames(self) -> int:
        return len(self.units)

    def turned(self, folder: Path) -> list[Clip]:
        """Write the same clip, which loops, from each of its key frames on."""
        clips = []
        for first in range(0, self.frames, self.key_every):
            path = folder / f"{self.path.stem}-{first}{self.path.suffix}"
            path.write_bytes(b"".join(self.units[first:] + self.units[:first]))
            clips.append(replace(self, path=path))
        return clips


def encode(pictures: Iterable[Uint8], out: Path, codec: Codec = "h264", fps: int = 25, kbps: int = 600) -> Clip:
    """Encode I420 pictures, each (height * 3 / 2, width), with a key frame each second; write the clip ``out``."""
    context = None
    with out.open("wb") as file:
        for index, picture in enumerate(pictures):
            if context is None:
                context = _encoder(codec, picture.shape[1], picture.shape[0] * 2 // 3, fps, kbps)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p").reformat(format=context.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            for packet in context.encode(frame):
                file.write(bytes(packet))
        assert context is not None, "a clip needs a picture"
        for packet in context.encode(None):
            file.write(bytes(packet))
    return Clip(out, codec, fps, (context.width, context.height), 1 if codec == "mjpeg" else fps)


def _encoder(codec: Codec, width: int, height: int, fps: int, kbps: int) -> av.VideoCodecContext:
    if ENCODERS[codec] not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {ENCODERS[codec]}")
    context = av.CodecContext.create(ENCODERS[codec], "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = width, height
    context.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    context.framerate, context.time_base = Fraction(fps), Fraction(1, fps)
    context.bit_rate = kbps * 1000 * (4 if codec == "mjpeg" else 1)
    context.gop_size, context.max_b_frames, context.thread_count = fps, 0, 1
    context.options = OPTIONS[codec]
    return context


def numbered_clip(
    out: Path, codec: Codec = "h264", size_px: tuple[int, int] = (320, 240), fps: int = 25, seconds: float = 2.0
) -> Clip:
    """Write a clip whose frames say their number, see ``frame_number``; cheap to make, to send and to decode."""
    return encode(numbered_pictures(size_px, round(fps * seconds)), out, codec, fps)


def numbered_pictures(size_px: tuple[int, int], frames: int) -> Iterator[Uint8]:
    """Yield I420 pictures with a row of black and white squares at the top, and a grey bar that moves below."""
    width, height = size_px
    side = width // NUMBER_BITS
    for number in range(frames):
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        for bit in range(NUMBER_BITS):
            one = number >> (NUMBER_BITS - 1 - bit) & 1
            picture[:side, bit * side : (bit + 1) * side] = 220 if one else 30
        x = number * 5 % (width - 16)
        picture[side:height, x : x + 16] = 180
        yield picture


def frame_number(luma: Uint8) -> int:
    """Read the number in a decoded frame of a numbered clip; ``luma`` is (height, width)."""
    side = luma.shape[1] // NUMBER_BITS
    number = 0
    for bit in range(NUMBER_BITS):
        square = luma[side // 4 : side * 3 // 4, bit * side + side // 4 : bit * side + side * 3 // 4]
        number = number << 1 | int(square.mean() > 125)
    return number


def recorded_clip(
    video: Path, out: Path, codec: Codec = "h264", size_px: tuple[int, int] = (768, 432), fps: int = 10, seconds: float = 10.0
) -> Clip:
    """Encode the first seconds of a recording again, at another size and rate (as ``tests.assets.shared`` gives it)."""
    return encode(islice(_recorded(video, size_px, fps), round(fps * seconds)), out, codec, fps)


def _recorded(video: Path, size_px: tuple[int, int], fps: int) -> Iterator[Uint8]:
    """Yield the frame that was shown at each tick of ``fps``."""
    ticks = 0
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        for index, frame in enumerate(container.decode(stream)):
            shown = frame.time if frame.time is not None else index / float(stream.average_rate or 25)
            if shown * fps >= ticks:
                ticks += 1
                yield np.asarray(frame.reformat(*size_px, format="yuv420p").to_ndarray(), np.uint8)


def face_clip(
    folder: Path, codec: Codec = "h264", size_px: tuple[int, int] = (640, 480), fps: int = 10, seconds: float = 6.0
) -> Clip:
    """Render people who walk through a hall (``facestream sample``) and encode them; needs no footage."""
    sample = folder / "sample.mp4"
    render_sample(sample, seconds=seconds, size_px=size_px, bits_per_second=3_000_000)
    return recorded_clip(sample, folder / f"faces.{codec}", codec, size_px, fps, seconds)


def access_units(stream: bytes, codec: Codec) -> Iterator[bytes]:
    """Cut an elementary stream of one slice a picture into pictures."""
    if codec == "mjpeg":
        # Inside a JPEG's data each 0xFF is followed by 0x00, so an end marker is one.
        yield from (picture + b"\xff\xd9" for picture in stream.split(b"\xff\xd9")[:-1])
        return
    unit: list[bytes] = []
    for nal in nals(stream):
        unit.append(b"\x00\x00\x00\x01" + nal)
        if is_slice(nal, codec):
            yield b"".join(unit)
            unit = []


def nals(stream: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex-B stream, without start codes."""
    for piece in stream.split(b"\x00\x00\x01")[1:]:
        yield piece.rstrip(b"\x00")


def is_slice(nal: bytes, codec: Codec) -> bool:
    """Whether a NAL unit carries a picture (and not parameters or remarks)."""
    return nal[0] & 0x1F in (1, 5) if codec == "h264" else nal[0] >> 1 & 0x3F < 32


def parameter_kind(nal: bytes, codec: Codec) -> str:
    """Return as what a session description tells a parameter set, empty for any other NAL unit."""
    if codec == "h264":
        return "sprop-parameter-sets" if nal[0] & 0x1F in (7, 8) else ""
    return {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}.get(nal[0] >> 1 & 0x3F, "")


def without_parameters(unit: bytes, codec: Codec) -> bytes:
    """Return a picture whose parameter sets are known from elsewhere."""
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals(unit) if not parameter_kind(nal, codec))
