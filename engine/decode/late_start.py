"""Where a recording begins in its file: other data may precede it, as a recorder's header, or the viewer with which it was
exported."""

from __future__ import annotations

import re
from pathlib import Path

from engine.words.numbers import count

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""Identifier of the first object of a WMV file."""
_LOOKED_AT_BYTES = 16 << 20
"""More than the size of the viewers that recorders put in front."""
_HEAD_BYTES = 4096
_HEADERS = {
    "mp4": re.compile(rb"\0\0\0[\x10-\xff]ftyp[ -~]{4}"),
    "mkv": re.compile(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.(?:matroska|webm)", re.DOTALL),
    "avi": re.compile(rb"RIFF.{4}AVI LIST", re.DOTALL),
    "flv": re.compile(rb"FLV\x01[\0\x01\x04\x05]\0\0\0\x09\0\0\0\0"),
    "wmv": re.compile(re.escape(ASF_HEADER)),
    "ts": re.compile(rb"\x47(?:.{187}\x47){7}", re.DOTALL),
    "m2ts": re.compile(rb".{4}\x47(?:.{191}\x47){7}", re.DOTALL),
}
"""Signatures long enough not to occur by chance; for transport streams, which have no header, eight packets."""


def kind_at_start(path: Path) -> str:
    """Return the kind of recording as which a file begins, as ``AVI``; empty if that is none of those known here."""
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    return next((ending.upper() for ending, header in _HEADERS.items() if header.match(data)), "")


def late_start(path: Path) -> str:
    """Return a sentence on where in a file its recording begins; empty if that is at its start or unknown."""
    try:
        with path.open("rb") as file:
            data = file.read(_LOOKED_AT_BYTES)
    except OSError:
        return ""
    found = {match.start(): ending for ending, header in _HEADERS.items() if (match := header.search(data))}
    place = min(found, default=0)
    if place == 0:
        return ""
    return (
        f"{path} is a recording ({found[place].upper()}) behind {count(place, 'byte')} of something else: "
        f"cut them off, as `tail --bytes=+{place + 1} FILE > cut.{found[place]}` does"
    )
