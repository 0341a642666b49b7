"""Properties of a HEIC or AVIF file's primary picture in its boxes (ISO/IEC 14496-12 and 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_TRANSFORMS = {b"irot", b"imir"}
_LARGE, _TO_THE_END = 1, 0
"""Special sizes of boxes: a 64-bit size follows, or the box extends to the end of the file."""


@dataclass(frozen=True, slots=True)
class Primary:
    """Properties of the primary picture, as far as given."""

    transfer: int = 2
    """Transfer characteristics (ITU-T H.273); 2: not given."""
    is_turned: bool = False
    """Whether it has a rotation or mirroring property, even one without effect."""


def primary_of(content: bytes) -> Primary:
    """Return the properties of a file's primary picture; the defaults if it is damaged or not such a file."""
    try:
        return _primary(memoryview(content))
    except (struct.error, IndexError):
        return Primary()


def _primary(content: memoryview) -> Primary:
    meta = dict(_boxes(_full(dict(_boxes(content)).get(b"meta", content[:0]))[1]))
    version, pitm = _full(meta.get(b"pitm", content[:0]))
    (item,) = struct.unpack_from(">I" if version else ">H", pitm)
    properties = dict(_boxes(meta.get(b"iprp", content[:0])))
    every = list(_boxes(properties.get(b"ipco", content[:0])))
    own = [every[index - 1] for index in _indices(properties.get(b"ipma", content[:0]), item) if 0 < index <= len(every)]
    coded = [bytes(body) for kind, body in own if kind == b"colr" and bytes(body[:4]) == b"nclx"]
    transfer = struct.unpack_from(">H", coded[0], 6)[0] if coded else Primary().transfer
    return Primary(transfer, any(kind in _TRANSFORMS for kind, _ in own))


def _boxes(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == _LARGE:
            (size,) = struct.unpack_from(">Q", content, at + 8)
            head = 16
        elif size == _TO_THE_END:
            size = len(content) - at
        if size < head:
            return
        yield kind, content[at + head : at + size]
        at += size


def _full(body: memoryview) -> tuple[int, memoryview]:
    """Return the version of a full box, and the rest."""
    return (body[0], body[4:]) if len(body) >= 4 else (0, body[:0])


def _indices(ipma: memoryview, item: int) -> list[int]:
    """Return the indices of an item's properties, from 1."""
    wide = len(ipma) >= 4 and ipma[3] & 1
    version, body = _full(ipma)
    (entries,) = struct.unpack_from(">I", body)
    at = 4
    for _ in range(entries):
        (named,) = struct.unpack_from(">I" if version else ">H", body, at)
        at += 4 if version else 2
        number, at = body[at], at + 1
        step, form = (2, ">H") if wide else (1, ">B")
        found = [struct.unpack_from(form, body, at + step * place)[0] for place in range(number)]
        if named == item:
            return [index & (0x7FFF if wide else 0x7F) for index in found]
        at += step * number
    return []
