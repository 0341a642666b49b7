"""What a playlist (HLS) names: FFmpeg opens all of it, wherever on this machine it is, and leaves out what is not there."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

_START, _TAG = "#EXTM3U", "#EXT"
_HEAD_BYTES = 64
_CODINGS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""By the marks with which editors let a text begin."""
_LINE_END = re.compile(r"[\r\n\0]")
"""As FFmpeg ends them: with a zero byte, too."""
_MOST_BYTES = 16 << 20
_MOST_BESIDE = 64
"""Playlists beside a segment that are looked into."""
_MOST_DEEP = 4
"""Playlists that name playlists."""
_URI = re.compile(r'(?<![\w-])URI=(?:"((?:[^"\\]|\\.)*)"?|([^\s,]+))')
"""As FFmpeg finds them, in quotes and without."""
_ESCAPED = re.compile(r"\\(.)")
_KEY = re.compile(r"^#EXT-X-(?:SESSION-)?KEY:(?!.*METHOD=NONE)", re.MULTILINE)
_HERE = re.compile(r"(?:crypto[+:])*(file:(?://)?)?", re.IGNORECASE)
"""What FFmpeg is allowed to reach is of this machine, however it is reached."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def is_playlist(path: Path) -> bool:
    """Whether a file that can be read begins as one."""
    try:
        with path.open("rb") as file:
            return _decoded(file.read(_HEAD_BYTES)).lstrip().startswith(_START)
    except (OSError, ValueError):
        return False


def lines_of(path: Path) -> list[str]:
    """Return the lines of a playlist that are not empty, without space around them.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        lines = (line.strip() for line in _LINE_END.split(_decoded(file.read(_MOST_BYTES))))
        return [line for line in lines if line]


def is_locked(path: Path) -> bool:
    """Whether a playlist says that its segments are encrypted."""
    return bool(_KEY.search("\n".join(lines_of(path))))


def segments_of(path: Path) -> list[str]:
    """Return the segments that a playlist names, in its words, each once; of one that names playlists these.

    Raises:
        OSError: it cannot be read.
    """
    return list(dict.fromkeys(line for line in lines_of(path) if not line.startswith("#")))


def named_by(path: Path) -> list[str]:
    """Return ``segments_of`` a playlist, and with them what they need: keys and initialisations; raises likewise."""
    needed = [_name_of(found) for line in lines_of(path) if line.startswith(_TAG) for found in _URI.finditer(line)]
    return list(dict.fromkeys([*segments_of(path), *needed]))


def renamed(line: str, name_for: Callable[[str], str]) -> str:
    """Return a line of a playlist in which what it names is called as ``name_for`` says."""
    if line.startswith(_TAG):
        return _URI.sub(lambda found: f'URI="{_quoted(name_for(_name_of(found)))}"', line)
    return line if line.startswith("#") else name_for(line)


def missing_from(path: Path) -> list[str]:
    """Return what a playlist needs and is not there, in its words.

    Raises:
        OSError: it cannot be read.
    """
    return [name for name in named_by(path) if (place := place_of(path.parent, name)) is None or not os.path.exists(place)]


def trouble_of(path: Path) -> str:
    """Return why a playlist must not be opened, as the end of a sentence: it, or one that it names, leads out of its folder, or
    in a circle, or to a pipe, at which FFmpeg would wait for ever, or is longer than is looked at; empty where nothing speaks
    against it.

    Raises:
        OSError: one cannot be read.
    """
    return next(_troubles(path, Path(os.path.realpath(path.parent)), (), set()), "")


def locks(path: Path) -> bool:
    """Whether a playlist beside a file names it as an encrypted segment."""
    try:
        beside = sorted(one for one in path.parent.iterdir() if one.suffix.lower() in (".m3u8", ".m3u") and one.is_file())
        return any(is_locked(one) and path.name in segments_of(one) for one in islice(beside, _MOST_BESIDE))
    except OSError:
        return False


def _troubles(path: Path, folder: Path, above: tuple[Path, ...], looked_into: set[Path]) -> Iterator[str]:
    above = (*above, Path(os.path.abspath(path)))
    if path.stat().st_size > _MOST_BYTES:
        which = "" if len(above) == 1 else f" ({path.name})"
        yield f"has more than {_MOST_BYTES:,} bytes{which}: give its segments by themselves"
    for name in named_by(path):
        if (place := place_of(path.parent, name)) is None:  # which FFmpeg is not allowed to reach
            continue
        if not Path(os.path.realpath(place)).is_relative_to(folder):
            yield f"leads out of its folder ({name}): put what it names beside it, or give that itself"
        elif place in above:
            yield f"leads in a circle ({name}): give what it should name"
        elif os.path.exists(place) and not (place.is_file() or place.is_dir()):
            yield f"names what is no file ({name}): give its segments by themselves"
        elif place not in looked_into and is_playlist(place):
            if len(above) > _MOST_DEEP:
                yield f"names playlists within playlists, over {_MOST_DEEP} deep ({name}): give one of the inner ones itself"
                return
            looked_into.add(place)
            yield from _troubles(place, folder, above, looked_into)


def place_of(folder: Path, name: str) -> Path | None:
    """Return where a name leads, from the folder of the playlist that names it; None: to another machine.

    A file that is there is meant whatever it is called, as `cam:1.ts`.
    """
    found = _HERE.match(name)
    plain = name[found.end() :] if found else name
    place = Path(os.path.abspath(folder / plain))
    is_here = bool(found and found[1]) or not _SCHEME.match(plain) or os.path.lexists(place)
    return place if is_here else None


def _name_of(found: re.Match[str]) -> str:
    return found[2] or _ESCAPED.sub(r"\1", found[1] or "")


def _quoted(name: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", name)


def _decoded(text: bytes) -> str:
    for mark, coding in _CODINGS.items():
        if text.startswith(mark):
            return text[len(mark) :].decode(coding, "replace")
    return text.decode("utf-8", "surrogateescape")
