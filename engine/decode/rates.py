"""The frame rate of a recording, by its file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from av.video.stream import VideoStream

from engine.decode.stamps import tells_showing

FALLBACK_TIME_BASE = Fraction(1, 90_000)
_ASSUMED = Fraction(25)
_HIGHEST = 1000
"""A higher rate is a time base mistaken for a rate."""
_HIGHEST_NUMBERED = 50_000
"""The same if pictures are numbered (AVI), as by some high-speed cameras."""
_PAUSES = 4
"""If pictures come this many times as fast as on average, there are pauses between them."""
_NO_TIMES = 0x0080
"""FFmpeg's AVFMT_NOTIMESTAMPS: bare packets of a codec. The average rate that FFmpeg gives them is made up."""


def nominal_rate(stream: VideoStream) -> Fraction:
    """Return the stream's frames per second by its header or its first frames; 25 if neither gives it. Pauses of a recorder
    that wrote only while something moved do not count.
    """
    average, guessed = stream.average_rate, _believable(stream.guessed_rate)
    pauses = average and guessed and min(guessed, _ASSUMED) > _PAUSES * average
    return (guessed if pauses or _has_no_times(stream) else None) or _believable(average, guessed) or _ASSUMED


def announced_rate(stream: VideoStream) -> Fraction | None:
    """Return the frames per second in a stream's header; None if it has none. Nothing is guessed from its ticks."""
    return _believable(stream.average_rate, stream.codec_context.framerate)


def time_base_of(stream: VideoStream) -> Fraction:
    """Return the duration of a tick of its time stamps in seconds."""
    return 1 / nominal_rate(stream) if _shows_all_at_once(stream) else stream.time_base or FALLBACK_TIME_BASE


def assumed_rate(path: Path, stream: VideoStream) -> str:
    """Return a sentence on a rate that had to be assumed; empty if the file gives it."""
    if _shows_all_at_once(stream):
        per_second = float(1 / (stream.time_base or FALLBACK_TIME_BASE))
        told, option = f"says that it has {per_second:,.0f} pictures a second", "-r"
    elif _has_no_times(stream) and _believable(stream.codec_context.framerate) is None:
        told, option = "holds neither times nor a rate", "-framerate"
    else:
        return ""
    rate = float(nominal_rate(stream))
    return (
        f"{path} {told}: {rate:g} a second were assumed; where that is wrong, give it the right rate as "
        f"`ffmpeg {option} 15 -i FILE -c copy FILE.mkv` does"
    )


def _has_no_times(stream: VideoStream) -> bool:
    return bool(stream.container.format.flags & _NO_TIMES)


def _shows_all_at_once(stream: VideoStream) -> bool:
    """Whether pictures are numbered at an implausible rate."""
    return not tells_showing(stream.container) and (stream.time_base or 1) * _HIGHEST_NUMBERED < 1


def _believable(*rates: Fraction | None) -> Fraction | None:
    return next((rate for rate in rates if rate and rate <= _HIGHEST), None)
