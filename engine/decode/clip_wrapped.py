"""MXF that holds all of its pictures in one piece, as OP-Atom: where it breaks off FFmpeg marks each as cut, but the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
from av.container import InputContainer


def marked_where_cut(packets: Iterable[av.Packet[Any]], container: InputContainer) -> Iterator[av.Packet[Any]]:
    """Yield packets of a container, those of one piece that breaks off marked as corrupt only where it does.

    A packet that follows another in the same piece has no place of its own in the file.
    """
    if container.format.name != "mxf":
        yield from packets
        return
    held: av.Packet[Any] | None = None
    is_cut = False
    for packet in packets:
        follows = held is not None and packet.pos is None and packet.stream.index == held.stream.index
        is_cut = packet.is_corrupt or (is_cut and follows)
        if held is not None:
            held.is_corrupt = held.is_corrupt and not follows
            yield held
        held = packet
    if held is not None:
        held.is_corrupt = held.is_corrupt or is_cut
        yield held
