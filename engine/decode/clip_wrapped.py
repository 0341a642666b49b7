"""MXF files with all pictures in one piece, such as OP-Atom: if it is truncated, FFmpeg marks every picture but the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
from av.container import InputContainer


def marked_where_cut(packets: Iterable[av.Packet[Any]], container: InputContainer) -> Iterable[av.Packet[Any]]:
    """Return the packets of a container; of a truncated piece only the last packet is marked as corrupt.

    A packet that follows another in the same piece has no position of its own in the file.
    """
    return _marked(packets) if container.format.name == "mxf" else packets


def _marked(packets: Iterable[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
    held: av.Packet[Any] | None = None
    is_cut = False
    try:
        for packet in packets:
            follows = held is not None and packet.pos is None and packet.stream.index == held.stream.index
            is_cut = packet.is_corrupt or (is_cut and follows)
            if held is not None:
                held.is_corrupt = held.is_corrupt and not follows
                yield held
            held = packet
    except Exception:  # packets read before the error are still delivered
        if held is not None:
            yield _ended(held, is_cut)
        raise
    if held is not None:
        yield _ended(held, is_cut)


def _ended(last: av.Packet[Any], is_cut: bool) -> av.Packet[Any]:
    last.is_corrupt = is_cut
    return last
