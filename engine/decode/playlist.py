"""The files that a playlist (HLS) names: FFmpeg opens all of them, anywhere on this machine, and skips missing ones."""

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
"""Encodings, by the byte order mark with which editors begin a text."""
_LINE_END = re.compile(r"[\r\n\0]")
"""Ends of lines as in FFmpeg, which include a zero byte."""
_MOST_BYTES = 16 << 20
_MOST_BESIDE = 64
"""Most playlists beside a segment that are examined."""
_MOST_DEEP = 4
"""Deepest nesting of playlists."""
_URI = re.compile(r'(?<![\w-])URI=(?:"((?:[^"\\]|\\.)*)"?|([^\s,]+))')
"""URIs as FFmpeg finds them, quoted and unquoted."""
_ESCAPED = re.compile(r"\\(.)")
_KEY = re.compile(r"^#EXT-X-(?:SESSION-)?KEY:(?!.*METHOD=NONE)", re.MULTILINE)
_HERE = re.compile(r"(?:crypto[+:])*(file:(?://)?)?", re.IGNORECASE)
"""Schemes that stay on this machine, which FFmpeg may open."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def is_playlist(path: Path) -> bool:
    """Whether a readable file begins like a playlist."""
    try:
        with path.open("rb") as file:
            return _decoded(file.read(_HEAD_BYTES)).lstrip().startswith(_START)
    except (OSError, ValueError):
        return False


def lines_of(path: Path) -> list[str]:
    """Return the non-empty lines of a playlist, stripped.

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
    """Return the segments that a playlist names, as written, each once; for a master playlist, the playlists.

    Raises:
        OSError: it cannot be read.
    """
    return list(dict.fromkeys(line for line in lines_of(path) if not line.startswith("#")))


def named_by(path: Path) -> list[str]:
    """Return ``segments_of`` a playlist with the keys and initialisation segments they need; raises likewise."""
    needed = [_name_of(found) for line in lines_of(path) if line.startswith(_TAG) for found in _URI.finditer(line)]
    return list(dict.fromkeys([*segments_of(path), *needed]))


def renamed(line: str, name_for: Callable[[str], str]) -> str:
    """Return a line of a playlist with the names in it replaced by ``name_for``."""
    if line.startswith(_TAG):
        return _URI.sub(lambda found: f'URI="{_quoted(name_for(_name_of(found)))}"', line)
    return line if line.startswith("#") else name_for(line)


def missing_from(path: Path) -> list[str]:
    """Return the names, as written, of files that a playlist needs but that do not exist.

    Raises:
        OSError: it cannot be read.
    """
    return [name for name in named_by(path) if (place := place_of(path.parent, name)) is None or not os.path.exists(place)]


def trouble_of(path: Path) -> str:
    """Return why a playlist must not be opened, as the end of a sentence: it, or one that it names, leads out of its folder, in
    a circle, or to a pipe, on which FFmpeg would wait forever, or is too long; empty if it may be opened.

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
        if (place := place_of(path.parent, name)) is None:  # FFmpeg is not allowed to open it
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
    """Return the path of a name, relative to the folder of its playlist; None: it is on another machine.

    An existing file is meant whatever its name, such as `cam:1.ts`.
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
