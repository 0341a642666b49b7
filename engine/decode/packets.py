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
    """Yield the packets of some streams, or of all that existed when it was opened, without empty ones.

    ``meanwhile`` is called repeatedly while data other than video are skipped, which may take long.

    Empty packets are PyAV's own, at the end, and those by which AVI repeats a picture.

    Raises:
        av.error.FFmpegError: reading fails.
    """
    times = AviTimes(container)
    while True:
        try:
            read = (packet for packet in container.demux(*streams) if packet.size)
            yield from map(times.correct, marked_where_cut(read, container))
        except IndexError:
            pass  # raised by PyAV after the last packet if streams have appeared in the middle
        except av.error.BlockingIOError:
            if container.format.name == _TRANSPORT_STREAM:
                meanwhile()
                continue  # raised by FFmpeg after each 64 KB without packets: a disk or a line failed, or space was reserved
            raise
        return
