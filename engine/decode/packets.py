"""The packets of a recording or camera, to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream


def packets_of(container: InputContainer, *streams: Stream) -> Iterator[av.Packet[Any]]:
    """Yield the packets that are not empty of some of its streams, or of all that there were when it was opened.

    The empty ones are PyAV's own, at the end, and those by which AVI repeats a picture.

    Raises:
        av.error.FFmpegError: it breaks off.
    """
    try:
        yield from (packet for packet in container.demux(*streams) if packet.size)
    except IndexError:
        return  # PyAV's, behind the last packet, where streams have appeared in the middle
