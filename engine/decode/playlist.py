"""What a playlist (HLS) names: FFmpeg opens all of it, wherever on this machine it is, and leaves out what is not there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

_START = b"#EXTM3U"
_MOST_BYTES = 16 << 20
_MOST_BESIDE = 64
"""Playlists beside a segment that are looked into."""
_MOST_DEEP = 4
"""Playlists that name playlists."""
_MOST_TOLD = 3
_ATTRIBUTE = re.compile(r'^#EXT.*?\bURI="([^"]*)"')
_KEY = re.compile(r"^#EXT-X-(?:SESSION-)?KEY:(?!.*METHOD=NONE)", re.MULTILINE)
_OTHER_MACHINE = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)
_FILE = re.compile(r"file:(//)?", re.IGNORECASE)


def is_playlist(path: Path) -> bool:
    """Whether a file that can be read begins as one."""
    try:
        with path.open("rb") as file:
            return file.read(len(_START)) == _START
    except (OSError, ValueError):
        return False


def is_locked(path: Path) -> bool:
    """Whether a playlist says that its segments are encrypted."""
    return bool(_KEY.search(_text(path)))


def segments_of(path: Path) -> list[str]:
    """Return the segments that a playlist names, in its words, each once; of one that names playlists these.

    Raises:
        OSError: it cannot be read.
    """
    lines = (line.strip() for line in _text(path).splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def named_by(path: Path) -> list[str]:
    """Return ``segments_of`` a playlist, and with them what they need: keys and initialisations; raises likewise."""
    attributes = (_ATTRIBUTE.match(line.strip()) for line in _text(path).splitlines())
    return list(dict.fromkeys([*segments_of(path), *(found[1] for found in attributes if found)]))


def missing_from(path: Path) -> list[str]:
    """Return what a playlist needs and is not there, in its words.

    Raises:
        OSError: it cannot be read.
    """
    return [name for name in named_by(path) if _OTHER_MACHINE.match(name) or not _place(path.parent, name).exists()]


def some_of(names: Sequence[str]) -> str:
    """Return the first few of what a playlist names, for a sentence."""
    return ", ".join(names[:_MOST_TOLD]) + (", …" if len(names) > _MOST_TOLD else "")


def trouble_of(path: Path) -> str:
    """Return why a playlist must not be opened, as the end of a sentence: it, or one that it names, leads out of its folder, or
    in a circle, in which FFmpeg would wait for ever, or is longer than is looked at; empty where nothing speaks against it.

    Raises:
        OSError: one cannot be read.
    """
    return next(_troubles(path, Path(os.path.abspath(path.parent)), ()), "")


def locks(path: Path) -> bool:
    """Whether a playlist beside a file names it as an encrypted segment."""
    try:
        beside = sorted(one for one in path.parent.iterdir() if one.suffix.lower() in (".m3u8", ".m3u"))
        return any(is_locked(one) and path.name in segments_of(one) for one in islice(beside, _MOST_BESIDE))
    except OSError:
        return False


def _troubles(path: Path, folder: Path, above: tuple[Path, ...]) -> Iterator[str]:
    above = (*above, Path(os.path.abspath(path)))
    if path.stat().st_size > _MOST_BYTES:
        which = "" if len(above) == 1 else f" ({path.name})"
        yield f"has more than {_MOST_BYTES:,} bytes{which}: give its segments by themselves"
    for name in named_by(path):
        if _OTHER_MACHINE.match(name):  # which FFmpeg is not allowed to reach
            continue
        place = _place(path.parent, name)
        if not place.is_relative_to(folder):
            yield f"leads out of its folder ({name}): put what it names beside it, or give that itself"
        elif place in above or len(above) > _MOST_DEEP:
            yield f"leads in a circle ({name}): give what it should name"
        elif is_playlist(place):
            yield from _troubles(place, folder, above)


def _place(folder: Path, name: str) -> Path:
    """Return where a name leads, from the folder of the playlist that names it."""
    return Path(os.path.abspath(folder / _FILE.sub("", name, count=1)))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")
