"""Recordings of which every picture tells its number, with a tone where there is sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording
from engine.decode.recording import reader_of

RATE = 25


def record(
    path: Path,
    frames: int = 50,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    sound: str = "",
    gop: int = 10,
    ticks: Callable[[int], int] = lambda index: index * 40,
    turned: int = 0,
) -> Path:
    """Write a video whose picture n is of brightness 35 + 4n, at 25 per second; ``ticks`` are milliseconds."""
    width, height = size
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=RATE, options={"preset": "ultrafast"} if codec == "libx264" else {})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.gop_size = gop
        if turned:
            video.set_display_rotation(turned)
        if codec == "libx264":
            video.codec_context.time_base = Fraction(1, 1000)
        audio = output.add_stream(sound, rate=8000, layout="mono") if sound else None
        for index in range(frames):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = 35 + 4 * index
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            if codec == "libx264":
                frame.pts, frame.time_base = ticks(index), Fraction(1, 1000)
            output.mux(video.encode(frame))
            if audio is not None:
                wave = (3000 * np.sin(np.arange(320) / 3)).astype(np.int16)[None]
                heard = av.AudioFrame.from_ndarray(wave, "s16", "mono")
                heard.sample_rate, heard.pts, heard.time_base = 8000, index * 320, Fraction(1, 8000)
                output.mux(audio.encode(heard))
        output.mux(video.encode(None))
        if audio is not None:
            output.mux(audio.encode(None))
    return path


def numbers(path: Path) -> list[int]:
    """Return which pictures a video shows."""
    return [round((bright - 35) / 4) for _, bright in shown(Recording("x", path))]


def shown(recording: Recording) -> list[tuple[float, float]]:
    """Return when each picture is shown, in seconds, and how bright it is in its middle."""
    frames = [item for item in reader_of(recording, DecodeConfig()) if isinstance(item, Frame)]
    return [
        (frame.time.pts_seconds, float(frame.planes.y[frame.planes.height_px // 2, frame.planes.width_px // 2]))
        for frame in frames
    ]


def seconds_of_sound(path: Path) -> float:
    """Return how long the sound of a file is."""
    with av.open(str(path)) as container:
        return sum(float(p.duration * p.time_base) for p in container.demux(audio=0) if p.size and p.duration)
