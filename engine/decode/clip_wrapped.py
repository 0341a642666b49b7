"""MXF that holds all of its pictures in one piece, as OP-Atom: where it breaks off FFmpeg marks each as cut, but the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
from av.container import InputContainer


def marked_where_cut(packets: Iterable[av.Packet[Any]], container: InputContainer) -> Iterable[av.Packet[Any]]:
    """Return packets of a container, those of one piece that breaks off marked as corrupt only where it does.

    A packet that follows another in the same piece has no place of its own in the file.
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
    except Exception:  # what was read before it came all the same
        if held is not None:
            yield _ended(held, is_cut)
        raise
    if held is not None:
        yield _ended(held, is_cut)


def _ended(last: av.Packet[Any], is_cut: bool) -> av.Packet[Any]:
    last.is_corrupt = is_cut
    return last
