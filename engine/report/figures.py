"""Pictures of the report, with what has to be said of them."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from engine.archive.files import inside
from engine.archive.reader import FaceLine, TrackRecord
from engine.report.summary import clock

MARK = "AI-enhanced: not for identification"
"""Stands with every picture that a model has made."""
_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


def small(directory: Path, line: FaceLine, note: str = "") -> str:
    """Return a face as a small picture; its enhanced form is marked as such. ``note`` stands behind what hovering tells."""
    picture = read(directory, line.files.get("enhanced") or line.files.get("original"))
    if picture is None:
        return ""
    enhanced = line.face.enhanced is not None
    title = f"{clock(line.face.pts_seconds)}, {line.face.quality.size_px:.0f} px{note}{', ' + MARK if enhanced else ''}"
    return f'<span class="small{" enhanced" if enhanced else ""}"><img src="{uri(picture)}" alt="" title="{title}"></span>'


def figure(picture: tuple[str, bytes], kind: str, caption: str, mark: str = "", over: str = "") -> str:
    """Return a picture with what is said of it.

    Args:
        picture: media type and bytes.
        kind: classes of the figure.
        caption: below it.
        mark: what must be known of it, below that; of what a model has made.
        over: HTML that lies over the picture.
    """
    note = f'<span class="mark">{mark}</span>' if mark else ""
    text = escape(caption)
    return f'<figure class="{kind}"><img src="{uri(picture)}" alt="{text}">{over}<figcaption>{text}</figcaption>{note}</figure>'


def uri(picture: tuple[str, bytes]) -> str:
    """Return a picture as an address that holds it."""
    return f"data:{picture[0]};base64,{base64.b64encode(picture[1]).decode()}"


def read(directory: Path, name: str | None) -> tuple[str, bytes] | None:
    """Return media type and bytes of a picture, None where the file is not there any more, or not in the directory."""
    path = inside(directory, name) if name else None
    if path is None or path.suffix not in _TYPES or not path.is_file():
        return None
    return _TYPES[path.suffix], path.read_bytes()


def strip_of(record: TrackRecord, faces: str) -> str:
    """Return a row of small pictures, with how many more faces the track had."""
    more = record.faces_seen - len(record.faces)
    faces += f'<span class="more">+{more}</span>' if more else ""
    return f'<div class="strip">{faces}</div>' if faces else ""
