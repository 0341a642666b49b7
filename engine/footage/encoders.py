"""Which encoder of video works here: a hardware one where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from tempfile import TemporaryDirectory

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import OutputContainer
from av.video.stream import VideoStream

TIME_BASE = Fraction(1, 60_000)
"""Of what is encoded: whole ticks for all usual rates, and no finer than MPEG-4 can say."""
_PROBE_PX = (320, 240)
_PROBE_FRAMES = 3


@dataclass(frozen=True)
class Encoder:
    """One way to encode video with FFmpeg."""

    codec: str
    device: str = ""
    """Of the hardware that takes the pictures; empty: pictures are given as they lie in memory."""
    pixels: str = "yuv420p"
    bits_per_pixel: float = 0.0
    """0: it keeps a quality, as ``options`` say."""
    options: dict[str, str] = field(default_factory=dict)

    def add_to(self, container: OutputContainer, width_px: int, height_px: int, rate: Fraction) -> VideoStream:
        """Add a video to a file.

        Args:
            container: the file.
            width_px: of the pictures, even.
            height_px: likewise.
            rate: pictures per second, about; each is written with its own time, in ``TIME_BASE``.

        Raises:
            av.error.FFmpegError, ValueError: it does not work here.
        """
        accelerator = HWAccel(self.device, allow_software_fallback=False) if self.device else None
        stream = container.add_stream(self.codec, rate, dict(self.options), accelerator)
        assert isinstance(stream, VideoStream), "a codec of video"
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, self.pixels
        stream.codec_context.time_base = TIME_BASE
        if self.bits_per_pixel:
            stream.codec_context.bit_rate = round(width_px * height_px * float(rate) * self.bits_per_pixel)
        return stream


_HARDWARE = (
    Encoder("h264_nvenc", bits_per_pixel=0.15),
    Encoder("h264_qsv", pixels="nv12", bits_per_pixel=0.15),
    Encoder("h264_vaapi", "vaapi", "nv12", bits_per_pixel=0.15),
    Encoder("h264_v4l2m2m", bits_per_pixel=0.15),
)
_SOFTWARE = (
    Encoder("libx264", options={"preset": "veryfast", "crf": "20"}),
    Encoder("mpeg4", bits_per_pixel=0.25),
)
ENCODERS = {one.codec: one for one in (*_HARDWARE, *_SOFTWARE)}
"""In the order in which they are tried."""


def works(encoder: Encoder) -> bool:
    """Return whether it encodes a few pictures here: one that FFmpeg was built with may lack its device or its driver."""
    width, height = _PROBE_PX
    grey = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), "yuv420p")
    grey.time_base = TIME_BASE
    size = 0
    try:
        with TemporaryDirectory() as folder, av.open(f"{folder}/probe.mp4", "w") as container:
            stream = encoder.add_to(container, width, height, Fraction(25))
            for number in range(_PROBE_FRAMES):
                grey.pts = number * 2400
                size += sum(packet.size for packet in stream.encode(grey))
            size += sum(packet.size for packet in stream.encode(None))
    except (av.error.FFmpegError, ValueError, OSError, NotImplementedError, RuntimeError):
        return False
    return size > 0


@cache
def best_encoder(is_working: Callable[[Encoder], bool] = works) -> Encoder:
    """Return the first of ``ENCODERS`` that works on this machine. Asked once in a process.

    Args:
        is_working: says so of one.
    """
    return next((one for one in ENCODERS.values() if is_working(one)), _SOFTWARE[-1])
