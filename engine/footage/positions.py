"""Where in a file a moment can be read from: the key frame before it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.decode.container import origin_seconds
from engine.decode.packets import packets_of
from engine.decode.rates import FALLBACK_TIME_BASE
from engine.decode.stamps import stamp_of

_STEPS_BACK_SECONDS = (0.0, 2.0, 10.0, 60.0)
"""Before the moment: some containers, as transport streams, are searched and not indexed, and land behind it."""
_MOST_PACKETS = 20_000
"""Of the video, between where a search lands and the moment: ten minutes at 30 a second."""


@dataclass(frozen=True)
class KeyFrame:
    """A picture from which the ones after it can be decoded."""

    ticks: int
    """Its time stamp, in ticks of the video stream."""
    seek_ticks: int | None
    """Seeking there lands on it or before it; None: it is read from the file's beginning."""


def key_frame_before(container: InputContainer, stream: VideoStream, ticks: int) -> KeyFrame | None:
    """Return the last key frame at or before a moment; None where there is none, or time stamps do not tell.

    The container is left somewhere: seek again.

    Args:
        container: open.
        stream: its video.
        ticks: the moment, as a time stamp of the stream.

    Raises:
        av.error.FFmpegError: the file cannot be read.
    """
    for back in _STEPS_BACK_SECONDS:
        target = ticks - round(back / (stream.time_base or FALLBACK_TIME_BASE))
        if not seek(container, stream, target):
            break
        if (found := _last_key(container, stream, ticks)) is not None:
            return KeyFrame(found, target)
    seek(container, stream, None)
    found = _last_key(container, stream, ticks)
    return None if found is None else KeyFrame(found, None)


def seek(container: InputContainer, stream: VideoStream, ticks: int | None) -> bool:
    """Go to a key frame at or before a time stamp, None: to the beginning; return whether the file can do that."""
    if ticks is None:
        ticks = stream.start_time if stream.start_time is not None else 0
    try:
        container.seek(ticks, backward=True, stream=stream)
    except (av.error.FFmpegError, OSError):
        return False
    return True


def stamp(packet: av.Packet[Any], container: InputContainer) -> int | None:
    """Return when a packet is shown, in ticks of its stream; of containers that only say when it is decoded, that."""
    found = stamp_of(packet, container)
    return packet.dts if found is None else found


def ticks_of(container: InputContainer, stream: VideoStream, seconds: float) -> int:
    """Return the time stamp of a moment, counted in seconds from the recording's beginning, where its stamps never jump."""
    return round(Fraction(seconds + origin_seconds(container)) / (stream.time_base or FALLBACK_TIME_BASE))


def _last_key(container: InputContainer, stream: VideoStream, ticks: int) -> int | None:
    found = None
    packets = takewhile(lambda packet: packet.dts is None or packet.dts <= ticks, packets_of(container, stream))
    for number, packet in enumerate(packets):
        when = stamp(packet, container)
        if packet.is_keyframe and when is not None and when <= ticks:
            found = when
        if number >= _MOST_PACKETS:
            return None
    return found
