"""Copies a part of a recording packet by packet: nothing is decoded, nothing changes."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from engine.decode.container import MAX_GAP_SECONDS, open_recording, origin_seconds
from engine.decode.packets import packets_of
from engine.decode.rates import FALLBACK_TIME_BASE
from engine.decode.stamps import tells_showing
from engine.footage.positions import key_frame_before, seek, stamp, ticks_of

Media = VideoStream | AudioStream
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_LATE_SECONDS = 3
"""How much later than its picture sound may stand in a file."""
_LAST_SECONDS = Fraction(1, 25)
"""At least so long a picture is shown."""


class CannotCopy(Exception):
    """This part of this recording cannot be cut without decoding it; the message says why."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds."""

    begins_seconds: float
    """Where in the recording: at a key frame."""
    ends_seconds: float
    """When its last picture is shown."""


def copy_part(
    path: Path,
    out: Path,
    begin: float,
    end: float,
    video_stream: int | None = None,
    tell: Callable[[float], None] = lambda s: None,
) -> Copied:
    """Copy a part of a recording, picture and sound, from the key frame before its beginning.

    Args:
        path: the recording.
        out: the file to write; its ending says what it is.
        begin: seconds from the recording's beginning.
        end: likewise, after ``begin``.
        video_stream: see ``open_recording``.
        tell: is told of how many seconds of the part have been written.

    Raises:
        CannotCopy: no key frame is found, pictures have no time stamps, or this kind of file cannot hold them.
        SourceError: the recording cannot be opened.
        OSError: it cannot be read, or the file cannot be written.
    """
    container, video = open_recording(path, video_stream)
    with container:
        base = video.time_base or FALLBACK_TIME_BASE
        key = key_frame_before(container, video, ticks_of(container, video, begin))
        if key is None:
            raise CannotCopy("no key frame is found before it")
        first, last = key.ticks * base, ticks_of(container, video, end) * base
        with _opened(out) as target:
            streams = _streams(container, video, target)
            seek(container, video, key.seek_ticks)
            ends = first
            for packet in _part(container, video, first, last):
                copied = streams.get(packet.stream.index)
                if copied is not None:
                    if packet.stream.index == video.index:
                        shown = (stamp(packet, container) or 0) * packet.time_base
                        ends = max(ends, shown)
                        # the last one stands until the next one comes, which may be hours later
                        stands = max(last - shown, _LAST_SECONDS) / packet.time_base
                        packet.duration = min(packet.duration or 0, round(stands))
                        tell(float(ends - first))
                    _move(packet, first, shows=tells_showing(container))
                    packet.stream = copied
                    _write(packet, target)
        origin = origin_seconds(container)
        return Copied(float(first) - origin, float(ends) - origin)


def sound_of(container: InputContainer) -> list[AudioStream]:
    """Return the sound of a recording that can be copied: of a codec that FFmpeg knows."""
    return [one for one in container.streams.audio if one.codec_context is not None]


def cannot_hold(error: Exception) -> bool:
    """Whether a file of this kind cannot hold what it should; else it is the disk that cannot."""
    return getattr(error, "errno", None) not in _DISK


def _opened(out: Path) -> OutputContainer:
    try:
        return av.open(f"file:{out}", "w", options={"movflags": "faststart"} if out.suffix in (".mp4", ".mov") else {})
    except ValueError as error:
        raise CannotCopy(f"no kind of video file ends with {out.suffix or 'nothing'}") from error


def _streams(container: InputContainer, video: VideoStream, target: OutputContainer) -> dict[int, Media]:
    """Return the streams to write, by the number of those that they are copied from."""
    sources: list[Media] = [video, *sound_of(container)]
    try:
        made: dict[int, Media] = {one.index: target.add_stream_from_template(one, opaque=True) for one in sources}
        target.start_encoding()
    except (av.error.FFmpegError, ValueError) as error:
        if not cannot_hold(error):
            raise
        codecs = " and ".join(one.codec_context.name for one in sources)
        raise CannotCopy(f"such a file cannot hold {codecs}") from error
    return made


def _part(container: InputContainer, video: VideoStream, first: Fraction, last: Fraction) -> Iterator[av.Packet[Any]]:
    """Yield the packets from the key frame at ``first`` on up to ``last``, of the video those that follow from it."""
    seen = over = False
    for packet in packets_of(container):
        when = stamp(packet, container)
        if when is None:
            continue
        seconds = when * packet.time_base
        if packet.stream.index == video.index:
            seen = seen or (packet.is_keyframe and seconds == first)
            decoded = seconds if packet.dts is None else packet.dts * packet.time_base
            over = over or (seen and decoded > last)
            if seen and not over and seconds >= first:  # pictures before it in time build on what is not copied
                if packet.is_discard:
                    raise CannotCopy("a copy would show pictures that its edit list leaves out")
                if seconds > last + MAX_GAP_SECONDS:  # decoded before the last one, and shown when a pause is over
                    raise CannotCopy("its time stamps jump")
                yield packet
        elif first <= seconds <= last:
            yield packet
        if over and seconds > last + (_LATE_SECONDS if packet.stream.index == video.index else 0):
            return
    if not seen:
        raise CannotCopy("its key frame is not found again")


def _write(packet: av.Packet[Any], target: OutputContainer) -> None:
    try:
        target.mux(packet)
    except av.error.ArgumentError as error:
        raise CannotCopy("its time stamps are not in order") from error


def _move(packet: av.Packet[Any], first: Fraction, *, shows: bool) -> None:
    """Let time begin at ``first``; ``shows``: time stamps say when a picture is shown."""
    shift = round(first / packet.time_base)
    if packet.pts is None or not shows:
        context: Any = packet.stream.codec_context
        if getattr(context, "has_b_frames", False):
            raise CannotCopy("its pictures do not say when they are shown")
        packet.pts = packet.dts
    if packet.pts is not None:
        packet.pts -= shift
    if packet.dts is not None:
        packet.dts -= shift
