"""The packets of a recording or camera, to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream

from engine.decode.avi_times import AviTimes
from engine.decode.clip_wrapped import marked_where_cut

_TRANSPORT_STREAM = "mpegts"


def packets_of(
    container: InputContainer, *streams: Stream, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[av.Packet[Any]]:
    """Yield the packets that are not empty of some of its streams, or of all that there were when it was opened.

    ``meanwhile`` is called again and again while what is no video is read over, which may take long.

    The empty ones are PyAV's own, at the end, and those by which AVI repeats a picture.

    Raises:
        av.error.FFmpegError: it breaks off.
    """
    times = AviTimes(container)
    while True:
        try:
            read = (packet for packet in container.demux(*streams) if packet.size)
            yield from map(times.correct, marked_where_cut(read, container))
        except IndexError:
            pass  # PyAV's, behind the last packet, where streams have appeared in the middle
        except av.error.BlockingIOError:
            if container.format.name == _TRANSPORT_STREAM:
                meanwhile()
                continue  # FFmpeg's, after each 64 KB that are none: as of a disk or a line that failed, or room kept for more
            raise
        return
